from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_GET_SIZE
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.errno cimport EINTR, errno
from posix.time cimport CLOCK_MONOTONIC, clock_gettime, timespec

cdef extern from "<sys/socket.h>" nogil:
    ssize_t libc_recv "recv"(int descriptor, void *data, size_t size, int flags)
    ssize_t libc_send "send"(int descriptor, const void *data, size_t size, int flags)
    int libc_socket "socket"(int family, int type, int protocol)
    int libc_connect "connect"(int descriptor, const sockaddr *address, unsigned int size)
    int libc_setsockopt "setsockopt"(int descriptor, int level, int name, const void *value, unsigned int size)
    cdef struct sockaddr:
        pass
    enum: MSG_NOSIGNAL
    enum: AF_UNIX
    enum: SOCK_STREAM
    enum: SOCK_NONBLOCK
    enum: SOCK_CLOEXEC

cdef extern from "<netinet/in.h>" nogil:
    enum: IPPROTO_TCP

cdef extern from "<netinet/tcp.h>" nogil:
    enum: TCP_NODELAY

cdef extern from "<unistd.h>" nogil:
    int libc_close "close"(int descriptor)

cdef extern from "<poll.h>" nogil:
    cdef struct pollfd:
        int fd
        short events
        short revents
    int libc_poll "poll"(pollfd *descriptors, unsigned long count, int timeout_ms)
    enum: POLLOUT

cdef extern from "<sys/epoll.h>" nogil:
    ctypedef union epoll_data_t:
        int fd
    cdef struct epoll_event:
        unsigned int events
        epoll_data_t data
    int epoll_ctl(int descriptor, int operation, int watched, epoll_event *event)
    int epoll_wait(int descriptor, epoll_event *events, int size, int timeout_ms)

cdef enum:
    _ROOM = 128  # MAX_EVENTS


cdef inline long long c_monotonic_ns() noexcept:
    cdef timespec now
    clock_gettime(CLOCK_MONOTONIC, &now)
    return <long long>now.tv_sec * 1000000000 + now.tv_nsec


cdef inline Py_ssize_t c_receive(int descriptor, char *data, Py_ssize_t size) noexcept:
    cdef ssize_t received
    while True:
        received = libc_recv(descriptor, data, size, 0)
        if received >= 0:
            return received
        if errno != EINTR:
            return -errno


cdef inline Py_ssize_t c_send(int descriptor, const char *data, Py_ssize_t size) noexcept:
    cdef ssize_t sent
    while True:
        sent = libc_send(descriptor, data, size, MSG_NOSIGNAL)
        if sent >= 0:
            return sent
        if errno != EINTR:
            return -errno


cdef inline int c_poll(int descriptor, epoll_event *events, int size) noexcept:
    cdef int count = epoll_wait(descriptor, events, size, 0)
    return count if count >= 0 else -errno


cdef inline int c_open_socket(int family) noexcept:
    cdef int yes = 1
    cdef int descriptor = libc_socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
    if descriptor < 0:
        return -errno
    if family != AF_UNIX and libc_setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) < 0:
        yes = -errno
        libc_close(descriptor)
        return yes
    return descriptor


cdef inline int c_connect(int descriptor, const char *address, Py_ssize_t size) noexcept:
    return 0 if libc_connect(descriptor, <const sockaddr *>address, <unsigned int>size) == 0 else -errno


cdef inline bint c_is_connected(int descriptor) noexcept:
    cdef pollfd one
    one.fd = descriptor
    one.events = POLLOUT
    one.revents = 0
    return libc_poll(&one, 1, 0) == 1 and one.revents == POLLOUT


cdef inline void c_close(int descriptor) noexcept:
    libc_close(descriptor)


cdef inline int c_control(int epoll_descriptor, int operation, int descriptor, unsigned int events) noexcept:
    cdef epoll_event event
    event.events = events
    event.data.fd = descriptor
    return 0 if epoll_ctl(epoll_descriptor, operation, descriptor, &event) == 0 else -errno


cpdef long long monotonic_ns() noexcept
cpdef Py_ssize_t receive(int descriptor, bytearray buffer) except? -4096
cpdef Py_ssize_t send(int descriptor, bytes data) except? -4096
cpdef Py_ssize_t send_view(int descriptor, data) except? -4096
cpdef int open_socket(int family) except? -4096
cpdef int connect(int descriptor, bytes address) except? -4096
cpdef bint is_connected(int descriptor) noexcept
cpdef void close(int descriptor) noexcept
cpdef int control(int epoll_descriptor, int operation, int descriptor, unsigned int events) except? -4096


cdef class ReadyList:
    cdef int _epoll_descriptor
    cdef epoll_event _events[_ROOM]

    cpdef int poll(self) except? -4096
    cpdef int descriptor(self, Py_ssize_t index) except? -4096
    cpdef unsigned int events(self, Py_ssize_t index) except? 0
