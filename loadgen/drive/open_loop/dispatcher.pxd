cimport cython

from loadgen.drive.slots.context cimport SlotContext
from loadgen.wire.clock cimport PhaseClock

cdef int _MAX_PER_TURN
cdef long long _MAX_LATE_NS, _NEVER_NS


cdef class ArrivalDispatcher:
    cdef object _pool, _due_times, _timer
    cdef PhaseClock _clock
    cdef SlotContext _context
    cdef readonly long long begun_ns
    cdef long long _next_ns
    cdef bint _stopped

    cpdef stop(self)
    @cython.locals(begun_ns=cython.longlong, due_ns=cython.longlong, late_ns=cython.longlong, context=SlotContext)
    cpdef _begin_due(self)
