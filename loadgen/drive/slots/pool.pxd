cimport cython

from loadgen.drive.requests.user_state cimport UserState
from loadgen.drive.slots.context cimport SlotContext
from loadgen.drive.slots.pooled_slot cimport PooledSlot
from loadgen.drive.slots.thinking_user cimport ThinkingUser


cdef class Pool:
    cdef SlotContext _context
    cdef Py_ssize_t _size
    cdef object _requests, _make, _listed
    cdef bint _fifo, _is_serving
    cdef readonly list slots
    cdef public bint serves_waiting
    cdef readonly object waiting

    @cython.locals(slot=PooledSlot)
    cpdef submit(self, user, long long due_ns, long long late_ns)
    cpdef add_slots(self, Py_ssize_t slots)
    cpdef preflight_slot(self)
    cpdef release(self, PooledSlot slot)
    cpdef connection_lost(self, PooledSlot slot)
    @cython.locals(slot=PooledSlot)
    cdef PooledSlot _take(self)
    cdef _list(self, PooledSlot slot)
    cdef PooledSlot _add(self)


cdef class PooledUser(ThinkingUser):
    cdef Pool _pool
    cdef readonly UserState user_state

    @cython.locals(context=SlotContext)
    cpdef begin(self)
