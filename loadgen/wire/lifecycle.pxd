cimport cython

cdef int _RESOLVING, _CONNECTING, _TUNNELLING, _HANDSHAKING, _UPGRADING, _SENDING, _WAITING, _RECEIVING
cdef long long _ABSENT
cdef unsigned int _LEGAL[11]


cdef class Lifecycle:
    cdef readonly int state
    cdef public long long own_ns
    cdef long long _entered[11]
    cdef long long _left[11]

    @cython.locals(present=cython.int)
    cpdef enter(self, int state, long long now_ns, long long left_ns=*)
    cpdef long long entered_ns(self, int state) noexcept
    cpdef tuple handshake_ns(self)
    @cython.locals(begun=cython.longlong)
    cpdef not_upgraded(self, long long sent_ns, long long now_ns)
    @cython.locals(before=cython.int)
    cpdef not_begun(self)
    @cython.locals(begun=cython.longlong, entered=cython.longlong)
    cpdef long long phase_ns(self, int state) noexcept
    cdef long long _duration_ns(self, int state) noexcept
