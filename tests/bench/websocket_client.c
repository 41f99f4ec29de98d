/* A minimal WebSocket load for comparison, since no such tool in C is packaged: echoes of five bytes.

   websocket_client PORT CONNECTIONS SECONDS

   Every connection to 127.0.0.1 sends the next message once the echo of the last one is complete. It checks the echo and
   nothing else, records no times, and prints how many echoes came. Whatever goes wrong ends it with a line on standard
   error. */

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

enum { MAX_EVENTS = 256, PAYLOAD_BYTES = 5, ECHO_BYTES = 2 + PAYLOAD_BYTES };

typedef struct {
    int fd;
    ssize_t filled;
    char echo[64];
} connection;

static const char echo[] = "\x81\x05hello";

static void send_message(const connection *to) {
    static uint32_t mask = 0x9E3779B9;
    unsigned char frame[6 + PAYLOAD_BYTES] = {0x81, 0x80 | PAYLOAD_BYTES};
    mask = mask * 1664525 + 1013904223;
    memcpy(frame + 2, &mask, 4);
    for (int index = 0; index < PAYLOAD_BYTES; index++)
        frame[6 + index] = (unsigned char)echo[2 + index] ^ frame[2 + index % 4];
    if (send(to->fd, frame, sizeof frame, MSG_NOSIGNAL) != sizeof frame)
        fail("send");
}

static void upgrade(connection *one, const struct sockaddr_in *address) {
    char head[4096];
    ssize_t filled = 0;
    int on = 1;
    if ((one->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0)
        fail("socket");
    setsockopt(one->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(one->fd, (const struct sockaddr *)address, sizeof *address) < 0)
        fail("connect");
    int size = snprintf(head, sizeof head,
                        "GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                        ntohs(address->sin_port));
    if (send(one->fd, head, (size_t)size, MSG_NOSIGNAL) != size)
        fail("send");
    do {
        ssize_t got = recv(one->fd, head + filled, sizeof head - 1 - (size_t)filled, 0);
        if (got <= 0)
            fail("recv");
        filled += got;
        head[filled] = 0;
    } while (!strstr(head, "\r\n\r\n"));
    if (strncmp(head, "HTTP/1.1 101", 12) != 0)
        fail("the server did not upgrade");
}

/* Reads what is there; true once the echo is whole. */
static int echoed(connection *one) {
    ssize_t got = recv(one->fd, one->echo + one->filled, sizeof one->echo - (size_t)one->filled, 0);
    if (got <= 0)
        fail("recv");
    one->filled += got;
    if (one->filled < ECHO_BYTES)
        return 0;
    if (one->filled != ECHO_BYTES || memcmp(one->echo, echo, ECHO_BYTES) != 0)
        fail("not the echo that was expected");
    one->filled = 0;
    return 1;
}

int main(int count, char **words) {
    if (count != 4) {
        fprintf(stderr, "websocket_client PORT CONNECTIONS SECONDS\n");
        return 2;
    }
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(words[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int size = atoi(words[2]), epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    connection *all = calloc((size_t)size, sizeof *all);
    struct epoll_event found[MAX_EVENTS];
    if (!all || epoll_fd < 0)
        fail("begin");
    for (int index = 0; index < size; index++) {
        struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = all + index};
        upgrade(all + index, &address);
        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, all[index].fd, &wanted) < 0)
            fail("epoll_ctl");
    }
    for (int index = 0; index < size; index++)
        send_message(all + index);
    long long echoes = 0;
    for (int64_t end = now_ns() + atoll(words[3]) * INT64_C(1000000000); now_ns() < end;) {
        int ready = epoll_wait(epoll_fd, found, MAX_EVENTS, 5000);
        if (ready <= 0)
            fail("no echo within 5 s");
        for (int index = 0; index < ready; index++)
            if (echoed(found[index].data.ptr)) {
                echoes++;
                send_message(found[index].data.ptr);
            }
    }
    printf("%lld\n", echoes);
    return 0;
}
