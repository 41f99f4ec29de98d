cdef class SampleSink:
    cpdef exchange(
        self, long long connection, long long user, long long request_index, long long scheduled, long long queue,
        long long late, long long send, long long wait, long long receive, long long own, long long lag,
        long long wait_delay, long long outcome, long long bytes_sent, long long bytes_received,
        long long continue_wait,
    )
    cpdef connection(
        self, long long connection, long long slot, long long opened, long long dns, long long connect,
        long long tunnel, long long tls, long long upgrade, long long connect_delay, long long flags, long long ending,
    )


cdef class RunSink(SampleSink):
    cpdef block(self, facts)
