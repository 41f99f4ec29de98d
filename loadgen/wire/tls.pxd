cimport cython
from loadgen.wire.openssl cimport TlsStream
from loadgen.wire.transport cimport TcpTransport

cdef int _DONE, _WAITS_TO_READ, _WOULD_BLOCK, _MAX_RECORD_BYTES, _HEADER_BYTES


cdef class TlsTransport(TcpTransport):
    cdef readonly object _context, _server_name
    cdef object _session, _broken, _incoming, _outgoing
    cdef bint _is_between_records, _is_detached
    cdef Py_ssize_t _taken_bytes
    cdef TlsStream _stream
    cdef bint _begun, _up

    @cython.locals(stream=TlsStream)
    cdef TlsStream _begin(self, descriptor)
    @cython.locals(stream=TlsStream, outcome=int)
    cpdef establish(self)
    cpdef close(self)
    cpdef end_writing(self)
    @cython.locals(stream=TlsStream)
    cdef _notify(self)
    cpdef Py_ssize_t receive(self) except? -4096
    cpdef Py_ssize_t send(self, data) except? -4096
    cdef TlsStream _open_stream(self)
    cdef _establish_tcp(self)
    cdef bint _may_detach(self) except? -1
    @cython.locals(size=Py_ssize_t)
    cdef Py_ssize_t _read_stream(self) except? -4096
    @cython.locals(size=Py_ssize_t)
    cdef Py_ssize_t _write_stream(self, data) except? -4096
    @cython.locals(stream=TlsStream, sent=Py_ssize_t)
    cdef Py_ssize_t _send_detached(self, data) except? -4096
    @cython.locals(size=Py_ssize_t, wanted=Py_ssize_t)
    cdef Py_ssize_t _receive_detached(self) except? -4096
