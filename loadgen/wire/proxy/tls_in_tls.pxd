cimport cython
from loadgen.wire.openssl cimport TlsStream
from loadgen.wire.early_data cimport EarlyTlsTransport
from loadgen.wire.tls cimport TlsTransport

cdef int _WOULD_BLOCK, _MAX_RECORD_BYTES


cdef class TlsInTlsTransport(EarlyTlsTransport):
    cdef object _outer
    cdef bytearray _record

    cpdef long long connect(self, tuple address, callback) except? -1
    cpdef establish(self)
    @cython.locals(read=Py_ssize_t, size=Py_ssize_t)
    cpdef Py_ssize_t receive(self) except? -4096
    @cython.locals(taken=Py_ssize_t)
    cpdef Py_ssize_t send(self, data) except? -4096
    cpdef watch(self, unsigned int event, callback)
    cpdef close(self)
    cpdef end_writing(self)
    @cython.locals(stream=TlsStream)
    cdef _begin_inside(self)
    @cython.locals(stream=TlsStream)
    cdef _notify(self)
    @cython.locals(size=Py_ssize_t)
    cdef Py_ssize_t _take_in(self) except? -4096
    @cython.locals(whole=Py_ssize_t, size=Py_ssize_t, buffer=bytearray)
    cdef Py_ssize_t _read_records(self) except? -4096
    @cython.locals(stream=TlsStream, sent=Py_ssize_t)
    cdef bint _flush(self) except? -1
