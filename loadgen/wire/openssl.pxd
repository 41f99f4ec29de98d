cimport cython
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_GET_SIZE
from libc.errno cimport errno

cdef bint _IS_DIRECT
cdef size_t _DO_HANDSHAKE, _READ, _WRITE, _GET_ERROR
cdef int _DONE, _WAITS_TO_READ, _WAITS_TO_WRITE, _SSL_ERROR_WANT_READ, _SSL_ERROR_WANT_WRITE, _FIRST_ALERT, _MAX_WRITE_BYTES


# `function` is the address of OpenSSL's function, `ssl` that of its SSL.

cdef inline int c_do_handshake(size_t function, size_t ssl) noexcept:
    return (<int (*)(void *) noexcept>function)(<void *>ssl)


cdef inline int c_read(size_t function, size_t ssl, char *data, Py_ssize_t size) noexcept:
    return (<int (*)(void *, void *, int) noexcept>function)(<void *>ssl, data, <int>size)


cdef inline int c_write(size_t function, size_t ssl, data) except? -4096:
    cdef Py_buffer view
    cdef int result
    PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
    result = (<int (*)(void *, const void *, int) noexcept>function)(
        <void *>ssl, view.buf, <int>min(view.len, <Py_ssize_t>1 << 30)
    )
    PyBuffer_Release(&view)
    return result


cdef inline int c_get_error(size_t function, size_t ssl, int result) noexcept:
    return (<int (*)(const void *, int) noexcept>function)(<const void *>ssl, result)


cdef inline int c_errno() noexcept:
    return errno


cdef class TlsStream:
    cdef readonly object connection
    cdef readonly int alert
    cdef object _ssl, _input, _output
    cdef size_t _address

    @cython.locals(result=int)
    cpdef int do_handshake(self) except? -4096
    @cython.locals(result=int)
    cpdef int read(self, bytearray buffer) except? -4096
    @cython.locals(result=int)
    cpdef int write(self, data) except? -4096
    cpdef detach(self)
    cpdef feed(self, bytes record)
    cpdef bytes take(self)
    @cython.locals(code=int, reason=int)
    cdef int _explain(self, int result) except? -4096
