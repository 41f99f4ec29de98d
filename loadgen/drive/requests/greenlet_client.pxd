cimport cython

from loadgen.drive.requests.builder cimport RequestBuilder
from loadgen.drive.requests.call_result cimport CallResult, CallRow
from loadgen.drive.requests.cookies cimport PathCookieState
from loadgen.drive.slots.slot cimport ConnectionSlot, pause_after
from loadgen.wire.connection cimport Connection


cdef class GreenletClient(ConnectionSlot):
    cdef bint _calling, _ended, _is_head, _left, _gave_turn
    cdef object _error, _waiting, _further, _extras
    cdef long long _pause_until_ns
    cdef int _concurrency
    cdef object _pool, _hub
    cdef RequestBuilder _builder
    cdef bint _takes_cookies
    cdef CallRow _rows
    cdef PathCookieState _state
    cdef Connection _used

    @cython.locals(state=PathCookieState)
    cpdef CallResult call(self, method, path, headers=*, bytes body=*, double timeout_s=*, stream=*)
    cpdef CallResult so_far(self, head)
    cpdef give_up(self)
    @cython.locals(gave=cython.bint)
    cpdef bint take_turn(self) except? -1
    cpdef leave(self)
    cpdef close_idle(self)
    cpdef exchange_done(self, connection, int outcome, long long end_ns)
    @cython.locals(pause_s=cython.double)
    cpdef done(self, int outcome)
    cdef _call_beside(self, method, path, headers, bytes body, double timeout_s, stream)
    cdef _end_extras(self)
    cdef _begin(self, method)
    cpdef _open(self, long long scheduled_ns)
    cdef _abandon(self)
    @cython.locals(left_ns=cython.longlong)
    cdef _sleep_out_pause(self)
    cdef _wait(self)
    cdef _end_call(self)
    cpdef _wake(self)
