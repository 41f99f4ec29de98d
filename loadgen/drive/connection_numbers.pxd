cimport cython


cdef class ConnectionNumbers:
    cdef public long long next

    @cython.locals(number=cython.longlong)
    cpdef long long take(self) except? -1
