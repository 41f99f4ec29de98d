from loadgen.drive.requests.user_state cimport EncodedRequest

cdef int _MAX_CACHED_BODY_BYTES


cdef class RequestBuilder:
    cdef object _defaults, _plan, _policy, _proxy_fields, _cached

    cpdef EncodedRequest requests(self, method, path, headers, bytes body, cookies)
