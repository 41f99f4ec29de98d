from loadgen.model.sample_sink cimport SampleSink
from loadgen.wire.clock cimport PhaseClock


cdef class SlotContext:
    cdef public SampleSink sink
    cdef public PhaseClock clock
    cdef public object policy, pace
    cdef public double think_s, gap_s
    cdef public bint running, takes_cookies
    cdef public object url
    cdef public long long asked, left, to_end, counted_from_ns
    cdef public long long errors, retried, mismatched_echoes, after_close_tried, after_close_answered
    cdef public object last_failure, observed, trailers, leniencies, unasked, continues, balance, retried_outcomes, last_redirect

    cpdef new_connection(self, listener)
    cpdef record_connection(self, long long slot, connection)
    cpdef count_from(self, long long begun_ns)
    cpdef bint may_repeat(self, long long due_ns) except? 0
    cpdef all_ended(self)
    cpdef note_retry(self)
    cpdef exchange_drained(self)
    cpdef note_first_response(self, head)
    cpdef about_to_close(self, connection)
    cpdef await_close(self, long long slot, connection)
