from loadgen.wire.transport cimport Transport


cdef class Route:
    cdef readonly object target, addressing, endpoint
    cdef public object tls_context, h2_context
    cdef public tuple turns
    cdef public object _contexts, _settings
    cdef public list addresses
    cdef public tuple sources
    cdef dict _sources
    cdef public object proxy, login
    cdef public bint tunnels, sends_early
    cdef list _dropped
    cdef long long _turn
    cdef public bytes server_name

    cpdef set_addresses(self, found)
    cpdef drop_address(self)
    cpdef next_source(self)
    cpdef Transport transport(self, session=*, bint offers_h2=*, long long user=*, request=*)
