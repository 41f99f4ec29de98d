cimport cython

from loadgen.wire.clock cimport PhaseClock
from loadgen.wire.syscalls cimport ReadyList, control

cdef bint COMPILED
cdef int _ADD, _REMOVE, _MODIFY
cdef unsigned int _FAILED
cdef long long _NO_WAIT_NS


cdef class Watch:
    cdef Poller _poller
    cdef long long _turn
    cdef public object callback
    cdef readonly int descriptor
    cdef readonly unsigned int events

    cpdef set(self, unsigned int events, callback)
    cpdef forget(self)


cdef class Poller(PhaseClock):
    cdef readonly bytearray buffer
    cdef readonly unsigned int events
    cdef object _epoll, _loop, _timers, _watcher, _before, _after
    cdef ReadyList _ready
    cdef int _descriptor
    cdef dict _watches
    cdef long long _turn, _poll_begun_ns

    @cython.locals(descriptor=cython.int)
    cpdef change(self, Watch watch, unsigned int before)
    cpdef forget(self, Watch watch)
    @cython.locals(ready=ReadyList, count=cython.int, index=cython.int, descriptor=cython.int, turn=cython.longlong, events=cython.uint, watch=Watch)
    cpdef _dispatch(self)
    @cython.locals(code=cython.int)
    cdef _control(self, int operation, int descriptor, unsigned int events)
    cpdef _stamp_before(self)
    @cython.locals(now=cython.longlong)
    cpdef _stamp_after(self)
