cimport cython
from loadgen.wire.openssl cimport TlsStream
from loadgen.wire.tls cimport TlsTransport


cdef class EarlyReadingTransport(TlsTransport):
    cdef object _guard
    cdef bytes _early
    cdef bint _has_seen_hello, _reads_early
    cdef readonly object outcome

    @cython.locals(waits=int)
    cpdef establish(self)
    cpdef Py_ssize_t receive(self) except? -4096
    @cython.locals(stream=TlsStream)
    cpdef Py_ssize_t send(self, data) except? -4096
    cdef bint _see_hello(self) except? -1
    @cython.locals(stream=TlsStream)
    cdef int _read_early(self) except? -4096
    cdef int _explain(self, TlsStream stream) except? -4096
