cimport cython
from loadgen.wire.openssl cimport TlsStream
from loadgen.wire.transport cimport TcpTransport

cdef int _DONE, _WAITS_TO_READ, _WOULD_BLOCK


cdef class TlsTransport(TcpTransport):
    cdef readonly object _context, _server_name
    cdef object _session, _broken
    cdef TlsStream _stream
    cdef bint _begun, _up

    @cython.locals(stream=TlsStream)
    cdef TlsStream _begin(self)
    @cython.locals(stream=TlsStream, outcome=int)
    cpdef establish(self)
    @cython.locals(stream=TlsStream)
    cpdef close(self)
    @cython.locals(size=Py_ssize_t)
    cpdef Py_ssize_t receive(self) except? -4096
    @cython.locals(size=Py_ssize_t)
    cpdef Py_ssize_t send(self, data) except? -4096
    cdef TlsStream _open_stream(self)
