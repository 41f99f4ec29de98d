/* The least that a client can do for one user: socket, connect, epoll, send, recv, a pause; and two stamps a phase.

   reference_client PORT PATH PAIRS BLOCK_MS WARMUP_MS THINK_US

   It makes PAIRS times a block of requests on one connection, and a block with a new connection for each request, to
   127.0.0.1. Phases begin just before their system call and end just after epoll_wait has told of their event, as
   loadgen's do.

   Prints one line a counted request: its policy, when it was wanted, when connect began and what it took, when send
   began and what send + wait took, what receive took. In ns of CLOCK_MONOTONIC; both of connect are -1 without one.
   Whatever goes wrong ends it with a line on standard error. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

enum { MAX_RESPONSE = 16384, MAX_ROWS = 1000000 };

typedef struct {
    int close;
    int64_t wanted_ns, connect_begun_ns, connect_ns, send_begun_ns, send_wait_ns, receive_ns;
} row;

static row rows[MAX_ROWS];
static int row_count;
static int epoll_fd;
static struct sockaddr_in address;
static char request[2][1024]; /* persistent, close */
static int64_t think_ns;

/* Waits for an event of the socket; what comes first during a pause is the server's close. */
static void wait_for(int fd, uint32_t events) {
    struct epoll_event wanted = {.events = events, .data.fd = fd}, found;
    if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, fd, &wanted) < 0)
        fail("epoll_ctl");
    if (epoll_wait(epoll_fd, &found, 1, 5000) != 1)
        fail("no event within 5 s");
}

static void think(void) {
    struct timespec pause = {.tv_sec = 0, .tv_nsec = think_ns};
    struct epoll_event found;
    if (epoll_pwait2(epoll_fd, &found, 1, &pause, NULL) != 0)
        fail("the server closed the connection during a pause");
}

/* Makes the socket and registers it: the program's own work, in no phase. */
static int new_socket(void) {
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct epoll_event none = {.events = 0, .data.fd = fd};
    if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0)
        fail("socket");
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &none) < 0)
        fail("epoll_ctl");
    return fd;
}

/* Gives when it began, and how long it took. */
static int64_t connect_to_server(int fd, int64_t *took_ns) {
    int error = 0;
    socklen_t size = sizeof error;
    struct epoll_event wanted = {.events = EPOLLOUT, .data.fd = fd}, found;
    if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, fd, &wanted) < 0)
        fail("epoll_ctl");
    int64_t begun = now_ns();
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS)
        fail("connect");
    do { /* before connect() a new socket counts as hung up; epoll may tell of that first */
        if (epoll_wait(epoll_fd, &found, 1, 5000) != 1)
            fail("no event within 5 s");
    } while (!(found.events & EPOLLOUT));
    int64_t ended = now_ns();
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error) {
        errno = error ? error : errno;
        fail("connect");
    }
    wanted.events = EPOLLIN;
    if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, fd, &wanted) < 0)
        fail("epoll_ctl");
    *took_ns = ended - begun;
    return begun;
}

/* The whole response has a head and as many bytes of body as Content-Length says. */
static int whole(const char *response) {
    const char *end = strstr(response, "\r\n\r\n"), *length = strcasestr(response, "\r\ncontent-length:");
    if (!end)
        return 0;
    if (!length || length > end || strncmp(response, "HTTP/1.1 200", 12) != 0)
        fail("a response other than 200 with Content-Length");
    return strlen(end + 4) >= strtoul(length + 17, NULL, 10);
}

static row exchange(int fd, int close) {
    static char response[MAX_RESPONSE + 1];
    struct epoll_event found;
    row done = {.close = close, .connect_ns = -1};
    ssize_t size = (ssize_t)strlen(request[close]), filled = 0;
    int64_t begun = now_ns();
    if (send(fd, request[close], (size_t)size, MSG_NOSIGNAL) != size)
        fail("send");
    if (epoll_wait(epoll_fd, &found, 1, 5000) != 1)
        fail("no response within 5 s");
    int64_t first = now_ns();
    for (;;) {
        ssize_t got = recv(fd, response + filled, (size_t)(MAX_RESPONSE - filled), 0);
        if (got <= 0)
            fail("recv");
        filled += got;
        response[filled] = 0;
        if (whole(response))
            break;
        wait_for(fd, EPOLLIN);
    }
    done.send_begun_ns = begun;
    done.send_wait_ns = first - begun;
    done.receive_ns = now_ns() - first;
    return done;
}

static void block(int closes, int64_t warmup_ns, int64_t length_ns) {
    int64_t begun = now_ns(), counted = begun + warmup_ns, end = begun + length_ns;
    int fd = -1;
    while (now_ns() < end) {
        int64_t wanted = now_ns(), connect_begun_ns = -1, connect_ns = -1;
        if (fd < 0) {
            fd = new_socket();
            connect_begun_ns = connect_to_server(fd, &connect_ns);
        }
        row done = exchange(fd, closes);
        done.wanted_ns = wanted;
        done.connect_begun_ns = connect_begun_ns;
        done.connect_ns = connect_ns;
        if (closes) {
            close(fd);
            fd = -1;
        }
        if (wanted >= counted && row_count < MAX_ROWS)
            rows[row_count++] = done;
        think();
    }
    if (fd >= 0)
        close(fd);
}

int main(int count, char **words) {
    static const char *end_of_head[2] = {"\r\n", "Connection: close\r\n\r\n"};
    if (count != 7) {
        fprintf(stderr, "reference_client PORT PATH PAIRS BLOCK_MS WARMUP_MS THINK_US\n");
        return 2;
    }
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)atoi(words[1]));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int close = 0; close < 2; close++)
        snprintf(request[close], sizeof request[close], "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\n%s", words[2], words[1],
                 end_of_head[close]);
    think_ns = atoll(words[6]) * 1000;
    if ((epoll_fd = epoll_create1(EPOLL_CLOEXEC)) < 0)
        fail("epoll_create1");
    for (int index = 0; index < 2 * atoi(words[3]); index++) /* persistent, close, close, persistent, ... */
        block((index ^ index / 2) & 1, atoll(words[5]) * 1000000, atoll(words[4]) * 1000000);
    for (row *one = rows; one < rows + row_count; one++)
        printf("%s %lld %lld %lld %lld %lld %lld\n", one->close ? "close" : "persistent", (long long)one->wanted_ns,
               (long long)one->connect_begun_ns, (long long)one->connect_ns, (long long)one->send_begun_ns,
               (long long)one->send_wait_ns, (long long)one->receive_ns);
    return 0;
}
