cimport cython
from cpython.buffer cimport PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer

from loadgen.model.sample_sink cimport RunSink

cdef bint COMPILED
cdef Py_ssize_t _EXCHANGE_BYTES


cdef inline size_t c_address(object segment) except 0:
    """Where a map's memory begins. It stays there until the map is closed."""
    cdef Py_buffer view
    PyObject_GetBuffer(segment, &view, PyBUF_WRITABLE)
    cdef size_t address = <size_t>view.buf
    PyBuffer_Release(&view)
    return address


cdef inline void c_write_exchange(
    size_t address, long long connection, long long user, long long request_index, long long scheduled,
    long long queue, long long late, long long send, long long wait, long long receive, long long own, long long lag,
    long long wait_delay, long long outcome, long long bytes_sent, long long bytes_received, long long continue_wait,
) noexcept:
    """One row, in the order of EXCHANGE_FIELDS."""
    cdef long long *row = <long long *>address
    row[0] = connection
    row[1] = user
    row[2] = request_index
    row[3] = scheduled
    row[4] = queue
    row[5] = late
    row[6] = send
    row[7] = wait
    row[8] = receive
    row[9] = own
    row[10] = lag
    row[11] = wait_delay
    row[12] = outcome
    row[13] = bytes_sent
    row[14] = bytes_received
    row[15] = continue_wait


cdef class RowFile:
    cdef object _file, _pack_into
    cdef long long _begun, _reserved_bytes
    cdef Py_ssize_t _row_bytes
    cdef readonly object map, error
    cdef readonly Py_ssize_t segment_bytes
    cdef public Py_ssize_t offset
    cdef size_t address

    cpdef advance(self)
    cdef _reserve(self, long long end)


cdef class Recorder(RunSink):
    cdef readonly RowFile _exchanges, _connections
    cdef public object on_full
    cdef readonly object error
    cdef object _blocks, _directory, _last_block
    cdef bytes _unwritten
    cdef long long _lost_exchanges, _lost_connections
    cdef long long _earlier_connections, _earlier_exchanges, _part, _part_rows

    cdef _advance(self)
    cdef _advance_connections(self)
    cdef _begin_segment(self)
    cdef _new_part(self, part)
    cdef _note_full(self, error, bint has_room)
    cdef _write_lines(self)
    @cython.locals(rows=RowFile)
    cpdef connection(
        self, long long connection, long long slot, long long opened, long long dns, long long connect,
        long long tunnel, long long tls, long long upgrade, long long connect_delay, long long flags, long long ending,
    )
    @cython.locals(rows=RowFile)
    cpdef exchange(
        self, long long connection, long long user, long long request_index, long long scheduled, long long queue,
        long long late, long long send, long long wait, long long receive, long long own, long long lag,
        long long wait_delay, long long outcome, long long bytes_sent, long long bytes_received,
        long long continue_wait,
    )
