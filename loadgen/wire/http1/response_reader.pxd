cimport cython

from loadgen.wire.http1.chunked cimport ChunkedBody
from loadgen.wire.http1.head_memory cimport HeadMemory, KnownHead

cdef int _H, _EMPTY_LINE
cdef Py_ssize_t MAX_HEAD_BYTES


cdef class ResponseReader:
    cdef Py_ssize_t _limit
    cdef HeadMemory _memory
    cdef readonly int status
    cdef readonly bint persists, sets_cookies
    cdef public bint no_body, pipelined, has_extra_bytes
    cdef public bytes rest, extra
    cdef readonly int notes
    cdef readonly object head
    cdef readonly Py_ssize_t body_bytes
    cdef public list trailers
    cdef readonly int interim
    cdef object _heads, _current
    cdef ChunkedBody _chunked
    cdef int _interim, _notes
    cdef Py_ssize_t _missing, _skipped_bytes

    @cython.locals(end=cython.Py_ssize_t)
    cpdef bint feed(self, bytes data, sink=*) except? -1
    cpdef bytes skip_empty_lines(self, bytes data)
    cpdef add_extra(self, bytes data)
    cpdef bint feed_buffer(self, bytearray buffer, Py_ssize_t size) except? -1
    @cython.locals(memory=HeadMemory, known=KnownHead, end=cython.Py_ssize_t)
    cdef Py_ssize_t _recognise(self, bytearray buffer, Py_ssize_t size) except -1
    cpdef set_head(self, head)
    cpdef bint finish(self) except? -1
    cdef bint _ends_with(self, int status, long long framing, Py_ssize_t end)
    cdef bint _begin(self, head, bytes rest, sink) except? -1
    @cython.locals(chunked=ChunkedBody)
    cdef bint _feed_body(self, bytes data, sink) except? -1
    cdef _keep_rest(self, bytes rest)
    cdef bint _complete(self)
