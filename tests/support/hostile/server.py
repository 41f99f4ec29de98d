"""Serves one Row on a loopback port, a thread for each connection, and keeps the wire's account.

Every wait is bounded: what is left when the server is closed ends with it, and is counted as hung.
"""

from __future__ import annotations

import os
import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.support.hostile.behaviour import BYE, GOOD, Row, Script
from tests.support.hostile.certificates import server_context, write_authority
from tests.support.hostile.channel import Channel, TlsChannel

PATIENCE_S = 8.0
"""How long anything waits for the client."""
_END_OF_HEAD = b"\r\n\r\n"


@dataclass
class ServedConnection:
    """One accepted connection, as the server saw it."""

    number: int
    requests: int = 0
    """Whole request heads (or streams) that came."""
    bytes_received: int = 0
    """Of what TLS carries, where there is TLS; so is the next."""
    bytes_sent: int = 0
    was_reset: bool = False
    """The client reset it."""
    loses: bool = False
    """One side has reset it, or the server has closed TLS: what the client sent meanwhile is not in this account."""
    refusal: str = ""
    """How TLS failed."""
    said: set[str] = field(default_factory=set)
    """What the client said beside its requests, where the protocol has words for that."""
    is_hung: bool = False
    """The client neither sent what was waited for nor closed."""


@dataclass
class Account:
    """All connections of a server."""

    connections: list[ServedConnection] = field(default_factory=list)

    @property
    def accepted(self) -> int:
        return len(self.connections)

    @property
    def requests(self) -> int:
        return sum(one.requests for one in self.connections)

    @property
    def losing(self) -> int:
        return sum(one.loses for one in self.connections)

    @property
    def hung(self) -> int:
        return sum(one.is_hung for one in self.connections)


class Over(Exception):
    """The connection has ended, as far as the server is concerned."""


class Conversation:
    """One connection in HTTP/1.1: plays the row's scripts. A behaviour.Peer.

    Another protocol derives from this one: it says what is a good answer, and how to read and count a request.
    """

    good: Script = (GOOD,)
    last: Script = (BYE,)
    """A good answer that ends the connection."""

    def __init__(self, row: Row, channel: Channel, served: ServedConnection, is_first: bool) -> None:
        self.row = row
        self.channel = channel
        self.served = served
        self.is_first = is_first
        self.is_finished = False
        """FIN was sent: nothing is answered any more."""
        self._unread = b""
        self._is_head = False

    @property
    def bytes_received(self) -> int:
        """Of requests, as a client counts them."""
        return self.channel.bytes_received

    def run(self) -> None:
        """Serve the connection until it has ended."""
        if not self.is_first and not self.is_finished:
            self.play(self.row.greeting)
        while self.read_request():
            if not self.is_finished:
                self.play(self._next_script())

    def opening(self) -> Script:
        """What is played as soon as the connection is accepted."""
        return self.row.opening

    def play(self, script: Script) -> None:
        for step in script:
            if isinstance(step, bytes):
                self.send(step)
            else:
                step(self)

    def read_request(self) -> bool:
        """Read and count one request; False once the client has closed."""
        request = self._read_head()
        if request is None:
            return False
        self._is_head = request.startswith(b"HEAD ")
        if self._take(_body_bytes(request)) is None:
            return False
        self.served.requests += 1
        return True

    # What steps call

    def send(self, data: bytes) -> None:
        self.channel.send(data)

    def send_in_clear(self, data: bytes) -> None:
        self.channel.send_in_clear(data)

    def notify(self) -> None:
        self.channel.notify()

    def finish(self) -> None:
        self.channel.finish()
        self.is_finished = True

    def reset(self) -> None:
        self.channel.reset()
        raise Over

    def peek(self) -> bytes:
        return self.channel.peek()

    def drain(self) -> None:
        while self.read_request():
            pass
        raise Over

    # Inside

    def _next_script(self) -> Script:
        """What answers the request that has just come."""
        index = self.served.requests - 1
        if self.is_first and index == 0:
            # To the run's first request; `last` frees the way for the connections that the row is about.
            return self._whole(self.last if self.row.is_of_connections else self.good)
        return self._script(index - self.is_first)

    def _script(self, request_index: int) -> Script:
        answers = self.row.answers
        return answers[min(request_index, len(answers) - 1)] if answers else self._whole(self.good)

    def _whole(self, script: Script) -> Script:
        """A good answer, without its body where the request was HEAD."""
        if not self._is_head:
            return script
        return tuple(step.partition(_END_OF_HEAD)[0] + _END_OF_HEAD for step in script if isinstance(step, bytes))

    def _read_head(self) -> bytes | None:
        """The next request's head; None once the client has closed."""
        return self._until(_END_OF_HEAD)

    def _until(self, end: bytes) -> bytes | None:
        """What comes before `end`, which is read too; None once the client has closed."""
        while end not in self._unread:
            if not self._receive():
                return None
        found, _, self._unread = self._unread.partition(end)
        return found

    def _take(self, size: int) -> bytes | None:
        """The next `size` bytes; None once the client has closed."""
        while len(self._unread) < size:
            if not self._receive():
                return None
        taken, self._unread = self._unread[:size], self._unread[size:]
        return taken

    def _receive(self) -> bool:
        data = self.channel.receive()
        self._unread += data
        return bool(data)


class MixedConversation(Conversation):
    """Any of the row's scripts may answer any request, and every third connection begins with the row's opening.

    Which script it is follows from the numbers of connection and request.
    """

    def opening(self) -> Script:
        return self.row.opening if self.served.number % 3 == 0 else ()

    def _script(self, request_index: int) -> Script:
        answers = self.row.answers
        return answers[(7919 * self.served.number + 104_729 * request_index) % 1_000_003 % len(answers)]


class EarlyConversation(Conversation):
    """It answers as soon as it has a request's head; the body is read after that."""

    _missing = 0
    """Bytes of the last request's body that have not come yet."""

    def read_request(self) -> bool:
        while self._missing:
            if not self._unread and not self._receive():
                return False
            taken = min(self._missing, len(self._unread))
            self._missing -= taken
            self._unread = self._unread[taken:]
        head = self._read_head()
        if head is None:
            return False
        self._missing = _body_bytes(head)
        self.served.requests += 1
        return True


CONVERSATIONS: dict[str, type[Conversation]] = {
    "http/1.1": Conversation,
    "early": EarlyConversation,
    "mixed": MixedConversation,
}


class HostileServer:
    """A row's server. `account` is complete once it is closed."""

    def __init__(self, row: Row, ca_file: Path | None, first_connections: int = 1) -> None:
        self.account = Account()
        self.ca_file = ca_file
        self._row = row
        self._first_connections = first_connections
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._stop, self._wake = os.pipe()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"http{'' if self._row.tls is None else 's'}://127.0.0.1:{self.port}/"

    def close(self) -> None:
        """Take the connections that the kernel still holds, and wait until the client has closed them all."""
        os.write(self._wake, b"x")
        for thread in self._threads:  # the first one adds others, and ends before they are looked at
            thread.join(2 * PATIENCE_S)
            assert not thread.is_alive(), f"the hostile server of {self._row} does not stop"
        self._listener.close()
        os.close(self._stop)
        os.close(self._wake)

    def _accept(self) -> None:
        is_stopped = False
        while not is_stopped:
            ready, _, _ = select.select([self._listener, self._stop], [], [])
            is_stopped = self._stop in ready
            with suppress(BlockingIOError):
                while True:
                    connection, _ = self._listener.accept()
                    served = ServedConnection(len(self.account.connections))
                    self.account.connections.append(served)
                    thread = threading.Thread(target=self._serve, args=(connection, served), daemon=True)
                    thread.start()
                    self._threads.append(thread)

    def _serve(self, connection: socket.socket, served: ServedConnection) -> None:
        connection.settimeout(PATIENCE_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        is_first = served.number < self._first_connections
        row = self._row
        channel = plain = Channel(connection)
        conversation = CONVERSATIONS[row.protocol](row, channel, served, is_first)
        with connection:
            try:
                if not is_first:
                    conversation.play(conversation.opening())
                if row.tls is not None and not conversation.is_finished:
                    # The first connection's server has a certificate that a client takes.
                    context = server_context(
                        replace(row.tls, name="", expired=False, trusted=True) if is_first else row.tls
                    )
                    conversation.channel = channel = secure = TlsChannel(connection, context)
                    secure.shake_hands()
                conversation.run()
            except Over:
                pass
            except TimeoutError:
                served.is_hung = True
            except ssl.SSLError as error:
                served.refusal = error.reason or str(error)
            except OSError:  # the client has closed, with bytes unread
                served.was_reset = True
            served.loses = served.was_reset or channel.is_reset or channel.is_deaf
            if row.tls is None or channel is not plain:
                served.bytes_received, served.bytes_sent = conversation.bytes_received, channel.bytes_sent


@contextmanager
def hostile_server(row: Row, folder: Path, first_connections: int = 1) -> Iterator[HostileServer]:
    """A server that ends with the block; its certificates' authority is in `folder`."""
    server = HostileServer(row, None if row.tls is None else write_authority(folder), first_connections)
    try:
        yield server
    finally:
        server.close()


def _body_bytes(head: bytes) -> int:
    """The length of a request's body."""
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
