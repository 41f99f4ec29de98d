cimport cython

cdef int _MAX_SIZE_DIGITS, _SIZES, _CONTENT, _CONTENT_END, _TRAILERS
cdef int _CR, _LF
cdef Py_ssize_t MAX_HEAD_BYTES
cdef bytes _DIGITS


cdef class ChunkedBody:
    cdef readonly Py_ssize_t body_bytes
    cdef readonly bint complete
    cdef readonly list trailers
    cdef readonly bytes rest
    cdef readonly int notes
    cdef object _sink
    cdef bint _is_strict
    cdef int _part
    cdef Py_ssize_t _missing
    cdef bytes _line
    cdef Py_ssize_t _trailer_bytes

    @cython.locals(at=Py_ssize_t, end=Py_ssize_t, size=Py_ssize_t)
    cpdef bint feed(self, bytes data) except? -1
    cdef Py_ssize_t _take_content(self, bytes data, Py_ssize_t at) except -1
    @cython.locals(size=Py_ssize_t, place=Py_ssize_t, number="long long")
    cdef Py_ssize_t _take_usual_line(self, bytes data, Py_ssize_t at) except -1
    @cython.locals(end=Py_ssize_t)
    cdef Py_ssize_t _take_any_line(self, bytes data, Py_ssize_t at) except -1
    cdef _take_line(self, bytes line)
    cdef _take_size(self, bytes line)
    cdef _take_trailer(self, bytes line)
    cdef _note(self, int notes)
    cdef _check_begin(self)
    cdef _check_length(self, Py_ssize_t line_bytes)
