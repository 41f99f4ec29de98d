cimport cython

from loadgen.drive.slots.context cimport SlotContext


cdef class ThinkingUser:
    cdef readonly SlotContext _context
    cdef readonly object _pause

    cpdef begin(self)
    cpdef begin_after(self, double seconds)
    @cython.locals(context=SlotContext, pause_s=cython.double)
    cpdef served(self, int outcome)
    cpdef stop(self)
