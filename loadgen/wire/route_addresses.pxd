cdef class RouteAddresses:
    cdef readonly object target, addressing, endpoint, target_end
    cdef public object proxy, found_target
    cdef public list addresses
    cdef public tuple sources
    cdef public long long race_delay_ns
    cdef readonly object races
    cdef dict _sources
    cdef object _spread, _once, _resolve
    cdef bint _keeps
    cdef long long _turn, _next, _skipped, _ttl_ns, _looked_up_ns
    cdef list _dropped, _waiting, _changes

    cpdef bint has_addresses(self, long long now_ns, bint look_up) except? 0
    cpdef next_address(self)
    cpdef set_addresses(self, found, long long now_ns=*)
    cpdef next_source(self)
