cdef class ConnectionNumbers:
    cdef public long long next
