cimport cython

from loadgen.drive.connection_numbers cimport ConnectionNumbers
from loadgen.drive.slots.context cimport SlotContext
from loadgen.wire.connection cimport Connection
from loadgen.wire.http1.response_reader cimport ResponseReader

cdef long long _SAMPLED_SHARE


cdef class ConnectionManager(SlotContext):
    cdef public dict keep_alive, idle_statuses
    cdef public object monitor, _plan, _route, _loop, _heads, _last_first_head, _stamping, _sweep, _grace, _look, _kind
    cdef public ConnectionNumbers numbers
    cdef public dict _pending_closes
    cdef public long long _first_of_block, _timeout_ns, stalled_ns, _max_pending_closes
    cdef long long _swept_ns, _patient_until_ns, _patient_sweeps, _tick_ns
    cdef object _max_body_bytes
    cdef bint _is_head, _ignores_close

    cpdef use(self, policy)
    cpdef close(self)
    @cython.locals(number=cython.longlong)
    cpdef new_connection(self, listener)
    @cython.locals(link=Connection)
    cpdef make_connection(self, long long number, long long place, route, listener)
    @cython.locals(link=Connection, flags=cython.longlong)
    cpdef record_connection(self, long long slot, connection)
    cpdef _new_reader(self)
