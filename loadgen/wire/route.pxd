from loadgen.wire.transport cimport Transport


cdef class Route:
    cdef readonly object target, addressing, endpoint
    cdef public object tls_context, h2_context
    cdef public tuple turns, socket_options
    cdef public object _contexts, _settings
    cdef public list addresses
    cdef public tuple sources
    cdef dict _sources
    cdef object _spread, _once, _resolve
    cdef bint _keeps
    cdef long long _next, _skipped, _ttl_ns, _looked_up_ns
    cdef list _waiting
    cdef list _changes
    cdef public object proxy, login, proxy_tls, _far_address
    cdef public int proxy_protocol
    cdef public bint tunnels, sends_early
    cdef list _dropped
    cdef long long _turn
    cdef public bytes server_name

    cpdef bint has_addresses(self, long long now_ns, bint look_up) except? 0
    cpdef next_address(self)
    cpdef set_addresses(self, found, long long now_ns=*)
    cpdef next_source(self)
    cpdef Transport tls_transport(self, context, server_name, session=*, early=*)
    cdef Transport _in_clear(self, hub)
    cpdef Transport transport(self, session=*, bint offers_h2=*, long long user=*, request=*)
