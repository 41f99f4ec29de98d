cimport cython

cdef int MAX_HEAD_BYTES
cdef int _FIRST_HEADS, _HEADS_PER_TEMPLATE, _FITS_PER_COPY
cdef int _ANY_VALUE, _NUMBER, _MAX_DIGITS
cdef bint _WALKS


cdef class KnownHead:
    cdef readonly bytes raw
    cdef readonly object head
    cdef readonly int status
    cdef readonly long long framing
    cdef readonly bint persists
    cdef readonly bint sets_cookies
    cdef readonly bytes template
    cdef readonly bint has_number
    cdef readonly long long number
    cdef bint _is_exact
    cdef object _pattern

    @cython.locals(length=Py_ssize_t)
    cpdef Py_ssize_t match(self, bytearray buffer, Py_ssize_t size) except -1

    @cython.locals(
        data="const unsigned char*", template="const unsigned char*", wanted="unsigned char",
        end=Py_ssize_t, at=Py_ssize_t, place=Py_ssize_t, begin=Py_ssize_t, number="long long",
    )
    cpdef Py_ssize_t walk(self, bytearray buffer, Py_ssize_t size) except -1


cdef class HeadMemory:
    cdef readonly KnownHead found
    cdef readonly long long framing
    cdef bint _exact
    cdef bytes _deciding
    cdef list _known
    cdef bytes _recent
    cdef KnownHead _recent_known
    cdef long long _recent_framing
    cdef long long _missed
    cdef long long _fits

    @cython.locals(length=Py_ssize_t, place=Py_ssize_t, known=KnownHead)
    cpdef Py_ssize_t find(self, bytearray buffer, Py_ssize_t size) except -1

    @cython.locals(known=KnownHead)
    cpdef void learn(self, bytes raw, object head) except *

    cdef void _keep_recent(self, bytes raw, KnownHead known, long long framing) except *
