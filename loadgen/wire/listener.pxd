cdef class Listener:
    cpdef exchange_done(self, connection, int outcome, long long end_ns)
    cpdef connection_lost(self, connection)
    cpdef connection_ready(self, connection)
