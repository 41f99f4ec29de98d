"""A tunnel through a SOCKS server (RFC 1928), with a user and a password where it wants them (RFC 1929).

The messages are socksio's; here is where each of the server's ends, and what its refusals mean. Bytes in and out; knows
no socket and no clock.
"""

from __future__ import annotations

from socksio import ProtocolError
from socksio.socks5 import (
    SOCKS5AuthMethod,
    SOCKS5AuthMethodsRequest,
    SOCKS5AuthReply,
    SOCKS5Command,
    SOCKS5CommandRequest,
    SOCKS5Connection,
    SOCKS5UsernamePasswordReply,
    SOCKS5UsernamePasswordRequest,
)

from loadgen.model.errors import ErrorKind
from loadgen.model.proxy import Proxy
from loadgen.wire.errors import UpgradeFailure

_VERSION, _LOGIN_VERSION = 5, 1
_SHORT_BYTES = 2  # of the answers to the methods that are offered, and to a login
_ADDRESS_AT, _PORT_BYTES = 4, 2
_ADDRESS_BYTES = {1: 4, 4: 16}
_NAME = 3  # an address that is a name, with its length before it
_SUCCEEDED = 0
_NO_METHOD = 0xFF
# RFC 1928 §6: what each reply says, its kind, and what to do.
_REPLIES = {
    1: ("general failure", ErrorKind.SOCKS_REFUSED, "its own log says why"),
    2: ("not allowed by its rules", ErrorKind.SOCKS_REFUSED, "let its rules allow this host and port"),
    3: ("network unreachable", ErrorKind.SOCKS_UNREACHABLE, "it has no route to the target's network"),
    4: ("host unreachable", ErrorKind.SOCKS_UNREACHABLE, "the name is unknown to it, or the host does not answer"),
    5: ("connection refused", ErrorKind.SOCKS_UNREACHABLE, "is the target running, and on this port?"),
    6: ("TTL expired", ErrorKind.SOCKS_UNREACHABLE, "the target did not answer it in time"),
    7: ("command not supported", ErrorKind.SOCKS_REFUSED, "it opens no connections (CONNECT); use another server"),
    8: ("address type not supported", ErrorKind.SOCKS_REFUSED, "use socks5h:// for a name, socks5:// for an address"),
}


class SocksRequest:
    """One connection's tunnel to a host and a port: send what `outgoing` holds, then `feed` what comes.

    The same calls as those of `ConnectRequest`.
    """

    __slots__ = ("_messages", "_proxy", "_received", "_step", "_to", "begun", "challenged", "open", "outgoing")

    def __init__(self, host: str, port: int, proxy: Proxy) -> None:
        """host: a name for the server to look up, or an address."""
        self._to = (host, port)
        self._proxy = proxy
        self._messages = SOCKS5Connection()
        self._received = b""
        self._step = self._take_method
        # To be set by the transport: the server is connected to.
        self.begun = False
        # The tunnel is open: what follows is between the client and the target.
        self.open = False
        # Never on this protocol: a server does not close to be asked again with a login.
        self.challenged = False
        methods = [SOCKS5AuthMethod.NO_AUTH_REQUIRED]
        if proxy.user is not None:
            methods.append(SOCKS5AuthMethod.USERNAME_PASSWORD)
        self._messages.send(SOCKS5AuthMethodsRequest(methods))
        self.outgoing = self._messages.data_to_send()

    def feed(self, data: bytes) -> int:
        """Take bytes; returns how many of them were the server's: what follows its last answer is the tunnel's.

        Raises UpgradeFailure where it refuses, or does not speak SOCKS 5.
        """
        taken = 0
        while taken < len(data) and not (self.open or self.outgoing):
            missing = self._message_bytes() - len(self._received)
            piece = data[taken : taken + missing]
            self._received += piece
            taken += len(piece)
            if len(self._received) == self._message_bytes():
                message, self._received = self._received, b""
                try:
                    self._step(message)
                except ProtocolError as error:
                    raise _not_socks(str(error)) from None
        return taken

    def closed(self) -> UpgradeFailure:
        """What it means that the server closed the connection."""
        return UpgradeFailure(
            ErrorKind.CLOSED_WITHOUT_RESPONSE, "the SOCKS server closed the connection before the tunnel was open",
            by_peer=True,
        )  # fmt: skip

    # Inside

    def _message_bytes(self) -> int:
        """How long the message is that comes now, as far as its first bytes say."""
        got = self._received
        if self._step != self._take_reply:
            return _SHORT_BYTES
        if len(got) < _SHORT_BYTES or got[0] != _VERSION or got[1] != _SUCCEEDED:
            return _SHORT_BYTES  # some servers send no address with a refusal, and close
        if len(got) <= _ADDRESS_AT:
            return _ADDRESS_AT + 1
        kind = got[3]
        if kind == _NAME:
            return _ADDRESS_AT + 1 + got[_ADDRESS_AT] + _PORT_BYTES
        return _ADDRESS_AT + _ADDRESS_BYTES.get(kind, 1) + _PORT_BYTES

    def _take_method(self, message: bytes) -> None:
        if message[0] != _VERSION:
            raise _not_socks(f"its first byte is {message[0]}")
        if message[1] == _NO_METHOD:
            raise UpgradeFailure(ErrorKind.PROXY_AUTHENTICATION, _wanted(self._proxy))
        reply = self._messages.receive_data(message)
        assert isinstance(reply, SOCKS5AuthReply)
        if reply.method == SOCKS5AuthMethod.NO_AUTH_REQUIRED:
            self._ask()
            return
        if reply.method != SOCKS5AuthMethod.USERNAME_PASSWORD or self._proxy.user is None:
            raise _not_socks("it chose a login that was not offered")
        self._messages.send(SOCKS5UsernamePasswordRequest(self._proxy.user.encode(), self._proxy.password.encode()))
        self.outgoing = self._messages.data_to_send()
        self._step = self._take_login

    def _take_login(self, message: bytes) -> None:
        if message[0] != _LOGIN_VERSION:
            raise _not_socks(f"its answer to the login begins with {message[0]}")
        reply = self._messages.receive_data(message)
        assert isinstance(reply, SOCKS5UsernamePasswordReply)
        if not reply.success:
            raise UpgradeFailure(
                ErrorKind.PROXY_AUTHENTICATION, "the SOCKS server does not accept the user and password that were given"
            )
        self._ask()

    def _ask(self) -> None:
        self._messages.send(SOCKS5CommandRequest.from_address(SOCKS5Command.CONNECT, self._to))
        self.outgoing = self._messages.data_to_send()
        self._step = self._take_reply

    def _take_reply(self, message: bytes) -> None:
        if message[0] != _VERSION:
            raise _not_socks(f"its reply begins with {message[0]}")
        code = message[1]
        if code != _SUCCEEDED:
            said, kind, what_to_do = _REPLIES.get(code, ("a reply that RFC 1928 does not have", *_REPLIES[1][1:]))
            raise UpgradeFailure(kind, f"the SOCKS server refused with reply {code}, {said}: {what_to_do}")
        self._messages.receive_data(message)
        self.open = True


def _wanted(proxy: Proxy) -> str:
    if proxy.user is None:
        return "the SOCKS server wants a login, and none was given"
    return "the SOCKS server takes neither a client without a login nor one with a user and a password"


def _not_socks(how: str) -> UpgradeFailure:
    return UpgradeFailure(ErrorKind.PROXY_REFUSED, f"the proxy does not speak SOCKS 5: {how}")
