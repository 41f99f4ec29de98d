cimport cython

from loadgen.model.sample_sink cimport SampleSink
from loadgen.wire.connection cimport Connection
from loadgen.wire.http1.response_reader cimport ResponseReader

cdef tuple _HANDSHAKE
cdef dict _NO_PHASES


cdef class CallResult:
    cdef readonly int outcome
    cdef readonly object failure, head
    cdef readonly bytes body
    cdef readonly dict phases
    cdef readonly long long latency_ns, connection, request_index


cdef class BodyReader(ResponseReader):
    cdef object _keep
    cdef list _parts
    cdef public object stream

    @cython.locals(done=cython.bint)
    cpdef bint feed(self, bytes data, sink=*) except? -1
    @cython.locals(end=cython.Py_ssize_t)
    cpdef bint feed_buffer(self, bytearray buffer, Py_ssize_t size) except? -1
    @cython.locals(parts=list, body=bytes)
    cpdef bytes take(self)


cdef class CallRow(SampleSink):
    cdef SampleSink _sink
    cdef int _outcome
    cdef long long _number, _request_index, _queue, _send, _wait, _receive

    cpdef exchange(
        self, long long connection, long long user, long long request_index, long long scheduled, long long queue,
        long long late, long long send, long long wait, long long receive, long long own, long long lag,
        long long wait_delay, long long outcome, long long bytes_sent, long long bytes_received,
        long long continue_wait,
    )
    cpdef CallResult so_far(self, Connection connection, head)
    @cython.locals(phases=dict, latency_ns=cython.longlong, value=cython.longlong, reader=BodyReader)
    cpdef CallResult result(self, Connection connection)
