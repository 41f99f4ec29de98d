cimport cython

from loadgen.wire.syscalls cimport close, connect, is_connected, open_socket, receive, send, send_view
from loadgen.wire.poller cimport Poller, Watch

cdef bint COMPILED


cdef class Transport:
    cdef public bytearray buffer
    cdef public bint is_cut_off, stamps_arrivals
    cdef public long long connected_ns
    cdef public tuple options

    cpdef long long connect(self, tuple address, callback) except? -1
    cpdef establish(self)
    cpdef Py_ssize_t receive(self) except? -4096
    cpdef Py_ssize_t send(self, data) except? -4096
    cpdef watch(self, unsigned int event, callback)
    @cython.locals(descriptor=cython.int)
    cpdef close(self)
    cpdef long long first_rtt_ns(self) except? -4096
    cpdef long long arrival_ns(self) except? -4096


cdef class TcpTransport(Transport):
    cdef readonly Poller _poller
    cdef public object _socket
    cdef object _source
    cdef int _descriptor
    cdef Watch _watch

    @cython.locals(begun_ns=cython.longlong, descriptor=cython.int, code=cython.int)
    cpdef long long connect(self, tuple address, callback) except? -1
    @cython.locals(size=cython.Py_ssize_t)
    cpdef Py_ssize_t receive(self) except? -4096
    @cython.locals(size=cython.Py_ssize_t)
    cpdef Py_ssize_t send(self, data) except? -4096
    cpdef end_writing(self)
    cdef _adopt(self, sock)


cdef Py_ssize_t _unless_would_block(Py_ssize_t failure) except? -4096
