cimport cython

from loadgen.wire.http1.response_reader cimport ResponseReader
from loadgen.wire.connection_setup cimport ConnectionSetup

cdef int _SENDING, _WAITING, _RECEIVING, _IDLE, _MAX_READS_PER_TURN, _SAMPLED_SHARE, _TLS, _REQUEST_TIMEOUT, _CR
cdef long long _ABSENT


cdef class Connection(ConnectionSetup):
    cdef public Py_ssize_t bytes_sent
    cdef public long long bytes_received
    cdef public bint ignores_close, after_close, requested_close
    cdef public long long mismatched_echoes
    cdef public int idle_status
    cdef public object _send_error

    @cython.locals(now=cython.longlong)
    cpdef exchange(self, request, long long scheduled_ns=*)
    @cython.locals(reader=ResponseReader)
    cpdef bint is_reusable(self) except? -1
    cpdef bint overdue(self, long long oldest_ns) except? -1
    cpdef bint announce_close(self) except? -1
    cpdef bint peer_has_closed(self) except? -1
    @cython.locals(complete=cython.bint)
    cpdef bint _take(self, Py_ssize_t size, long long now, long long end) except? -1
    @cython.locals(sent=cython.Py_ssize_t, request=bytes)
    cdef bint _are_empty_lines(self, Py_ssize_t size) except? -1
    cpdef _send(self, long long left_ns)
    @cython.locals(now=cython.longlong)
    cpdef _on_readable(self)
    @cython.locals(left=cython.longlong, arrival_ns=cython.longlong)
    cdef _sample_wait(self, long long now)
    @cython.locals(status=cython.int)
    cpdef _complete(self, long long end)
    cpdef _on_sendable(self)
    @cython.locals(size=cython.Py_ssize_t, end=cython.longlong)
    cpdef _read(self, long long now)
    cpdef _on_failure(self, error)
    cpdef _on_end(self, long long end)
    cpdef _on_idle_close(self, ending)
    cpdef bint _sent_some(self) except? -1
    cpdef _on_unsendable(self, error)
    cpdef _on_idle_bytes(self, bytes data)
    cdef bint _is_crossed(self) except? -1
    cpdef _fail_crossed(self, int status)
