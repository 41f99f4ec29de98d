cimport cython

from loadgen.drive.slots.context cimport SlotContext
from loadgen.drive.slots.slot cimport ConnectionSlot


cdef class ClosedLoopUser(ConnectionSlot):
    cdef object _pause

    @cython.locals(context=SlotContext)
    cpdef begin(self)
    cpdef begin_after(self, double seconds)
    cpdef stop(self)
    @cython.locals(context=SlotContext, pause_s=cython.double)
    cpdef done(self, int outcome)
