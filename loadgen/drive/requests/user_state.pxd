cdef class EncodedRequest:
    cdef object _write
    cdef readonly object last, more

    cpdef rewrite(self)


cdef class UserState:
    cdef public object _head, _jar, _plain
    cdef public long long index
    cdef public EncodedRequest requests
    cdef public object session

    cpdef take_cookies(self, head, url)
