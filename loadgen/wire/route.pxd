from loadgen.wire.route_addresses cimport RouteAddresses
from loadgen.wire.transport cimport Transport


cdef class Route(RouteAddresses):
    cdef public object tls_context, h2_context
    cdef public tuple turns, socket_options
    cdef public object _contexts, _settings
    cdef public object login, proxy_tls, early_methods
    cdef public int proxy_protocol
    cdef public bint tunnels, sends_early
    cdef public bytes server_name

    cpdef Transport tls_transport(self, context, server_name, session=*, early=*, long long user=*)
    cdef Transport _by_another_way(self, tls, session, early, long long user)
    cpdef Transport transport(self, session=*, bint offers_h2=*, long long user=*, request=*)
    cpdef Transport attempt(self, session=*, bint offers_h2=*, long long user=*, request=*)
