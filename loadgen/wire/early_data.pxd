cimport cython
from loadgen.wire.tls cimport TlsTransport


# Called by OpenSSL for each message. It looks for the extension early_data in EncryptedExtensions.

cdef inline void c_note(
    int sent, int version, int kind, const void *data, size_t size, void *stream, void *taken
) noexcept nogil:
    cdef const unsigned char *message = <const unsigned char *>data
    cdef size_t at = 6
    if sent or kind != 22 or size < 6 or message[0] != 8:
        return
    while at + 4 <= size:
        if message[at] == 0 and message[at + 1] == 42:
            (<int *>taken)[0] = 1
            return
        at += 4 + ((<size_t>message[at + 2]) << 8) + message[at + 3]


cdef inline size_t c_note_address() noexcept:
    return <size_t>&c_note


cdef class EarlyTlsTransport(TlsTransport):
    cdef object _early
    cdef bint _is_accepted, _is_written
    cdef readonly int early_flags

    cpdef establish(self)
    @cython.locals(taken=Py_ssize_t)
    cpdef Py_ssize_t send(self, data) except? -4096
    cdef Py_ssize_t _take_early(self) except? -1
    cdef bint _write_early(self) except? -1
