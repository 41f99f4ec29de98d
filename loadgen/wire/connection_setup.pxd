cimport cython

from loadgen.wire.clock cimport PhaseClock
from loadgen.wire.http1.response_reader cimport ResponseReader
from loadgen.wire.lifecycle cimport Lifecycle
from loadgen.wire.listener cimport Listener
from loadgen.wire.route cimport Route
from loadgen.wire.transport cimport Transport

cdef int _CLOSED, _CONNECTING, _TUNNELLING, _HANDSHAKING, _ESTABLISHED


cdef class ConnectionSetup(Lifecycle):
    cdef readonly long long number
    cdef public long long user
    cdef public Listener listener
    cdef readonly ResponseReader reader
    cdef public long long request_index, scheduled_ns, begun_ns, queue_ns, lag_ns, opened_ns
    cdef public int flags
    cdef public object ending, failure, handshake, address
    cdef public bint is_sampled
    cdef public long long connect_delay_ns, wait_delay_ns, continue_wait_ns
    cdef readonly Route _route
    cdef readonly PhaseClock _clock
    cdef public object _request
    cdef readonly Transport _transport

    @cython.locals(now=cython.longlong, transport=Transport, route=Route)
    cpdef open(self, request, long long scheduled_ns=*, session=*, bint look_up=*)
    cpdef defer(self)
    cpdef close(self, ending)
    cpdef expire(self)
    cpdef abandon(self)
    cpdef _send(self, long long left_ns)
    cpdef _on_readable(self)
    @cython.locals(now=cython.longlong)
    cpdef long long _note_lag(self) except? -1
    @cython.locals(polled=cython.longlong)
    cpdef long long _left_ns(self, long long now) noexcept
    cpdef _lose(self, ending)
    cpdef _fail_by(self, error)
    cpdef bint _sent_some(self) except? -1
    cpdef _fail(self, kind, detail, ending=*)
    @cython.locals(now=cython.longlong)
    cpdef long long _begin(self, int state, long long left_ns) except? -1
    @cython.locals(begun=cython.longlong)
    cdef _connect(self, address, long long left_ns)
    cpdef _on_raced(self)
    @cython.locals(left=cython.longlong, transport=Transport)
    cpdef _on_step(self)
    cdef _send_early(self, long long left_ns)
    @cython.locals(rtt_ns=cython.longlong)
    cdef _sample_connect(self, long long left_ns)
