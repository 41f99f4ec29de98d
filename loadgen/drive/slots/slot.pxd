cimport cython

from loadgen.drive.requests.user_state cimport UserState
from loadgen.model.sample_sink cimport SampleSink
from loadgen.drive.slots.context cimport SlotContext
from loadgen.wire.connection cimport Connection
from loadgen.wire.http1.response_reader cimport ResponseReader
from loadgen.wire.listener cimport Listener

cdef int _SENDING, _WAITING, _RECEIVING, _CLOSED, _LOWEST_REDIRECT
cdef long long _ABSENT
cdef double _PAUSE_AFTER_ERROR_S

cpdef double pause_after(int outcome, double think_s) except? -1


cdef class ConnectionSlot(Listener):
    cdef readonly SlotContext _context
    cdef public SampleSink _sink
    cdef readonly object _policy
    cdef readonly long long _limit
    cdef readonly bint _expires
    cdef bint _asks_for_close, _announces, _resumes_tls, _resolves
    cdef public bint _retrying
    cdef public long long index, late_ns
    cdef public UserState user_state
    cdef public Connection connection

    @cython.locals(connection=Connection)
    cpdef send(self, long long scheduled_ns)
    cpdef send_first(self, Listener listener)
    @cython.locals(link=Connection, context=SlotContext)
    cpdef exchange_done(self, connection, int outcome, long long end_ns)
    cpdef done(self, int outcome)
    cpdef close_idle(self)
    cpdef close_unused(self)
    cpdef bint _send_again(self, Connection connection) except? 0
    @cython.locals(connection=Connection, context=SlotContext, user_state=UserState)
    cpdef _open(self, long long scheduled_ns)
    cpdef _failed(self, Connection connection, int outcome)
    cpdef _answered(self, Connection connection)
    @cython.locals(context=SlotContext, reader=ResponseReader)
    cpdef _note(self, Connection connection)
    @cython.locals(context=SlotContext, reader=ResponseReader, persists=cython.bint)
    cpdef _finish(self, Connection connection, bint is_last)
    cpdef _end(self, Connection connection, ending)
    cdef _keep_session(self, Connection connection)
    cpdef _drop(self, Connection connection)
    cpdef _abandon_unrecorded(self, Connection connection)
