from loadgen.drive.requests.user_state cimport UserState
from loadgen.drive.slots.slot cimport ConnectionSlot


cdef class PooledSlot(ConnectionSlot):
    cdef readonly object _pool
    cdef UserState _own_state
    cdef readonly object _user
    cdef bint _is_serving
    cdef public bint is_listed

    cpdef serve(self, user, long long due_ns, long long late_ns)
    cpdef close_unused(self)
    cpdef _assign(self, user, long long late_ns)
