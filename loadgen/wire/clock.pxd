from loadgen.wire.syscalls cimport monotonic_ns


cdef class PhaseClock:
    cdef public long long polled_ns
    cdef public long long ready_ns

    cpdef long long monotonic_ns(self) except? -1
    cpdef timer(self, callback)
