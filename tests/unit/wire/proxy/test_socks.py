"""SOCKS 5 as bytes: what is said in which order, answers in pieces, and every refusal with its kind."""

from __future__ import annotations

import pytest

from loadgen.model.errors import ErrorKind
from loadgen.model.proxy import parse_proxy
from loadgen.wire.errors import UpgradeFailure
from loadgen.wire.proxy.socks import SocksRequest

NO_LOGIN, LOGIN, DONE = b"\x05\x00", b"\x05\x02", b"\x01\x00"
V4, V6, NAMED = b"\x01\x7f\0\0\1\x1f\x90", b"\x04" + bytes(16) + b"\0\1", b"\x03\x01h\0\1"


def request(host: str = "h.test", credentials: str = "") -> SocksRequest:
    return SocksRequest(host, 8080, parse_proxy(f"socks5h://{credentials}p"))


def say(one: SocksRequest, *messages: bytes) -> list[bytes]:
    """What the client sends before each message of the server's, and at last."""
    sent = []
    for message in messages:
        sent.append(one.outgoing)
        one.outgoing = b""
        assert one.feed(message) == len(message)
    return [*sent, one.outgoing]


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("h.test", b"\x03\x06h.test"),
        ("127.0.0.1", b"\x01\x7f\0\0\1"),
        ("::1", b"\x04" + bytes(15) + b"\1"),
    ],
)
def test_without_a_login(host: str, address: bytes) -> None:
    one = request(host)
    assert say(one, NO_LOGIN, b"\x05\x00\x00" + V4) == [
        b"\x05\x01\x00", b"\x05\x01\x00" + address + b"\x1f\x90", b"",
    ]  # fmt: skip
    assert one.open


def test_with_a_login() -> None:
    one = request(credentials="user:pw@")
    sent = say(one, LOGIN, DONE, b"\x05\x00\x00" + V4)
    assert sent[:2] == [b"\x05\x02\x00\x02", b"\x01\x04user\x02pw"]
    assert one.open


@pytest.mark.parametrize("address", [V4, V6, NAMED])
def test_an_answer_in_pieces_and_the_tunnels_first_bytes(address: bytes) -> None:
    one = request()
    say(one, NO_LOGIN)
    one.outgoing = b""
    reply = b"\x05\x00\x00" + address
    for at in range(len(reply) - 1):
        assert one.feed(reply[at : at + 1]) == 1
        assert not one.open
    assert one.feed(reply[-1:] + b"hello") == 1
    assert one.open


@pytest.mark.parametrize("code", range(1, 10))
@pytest.mark.parametrize("address", [b"", b"\x00" + V4])
def test_a_refusal_says_what_to_do(code: int, address: bytes) -> None:
    one = request()
    say(one, NO_LOGIN)
    one.outgoing = b""
    with pytest.raises(UpgradeFailure, match=rf"refused with reply {code}, [^:]+: \S+") as failure:
        one.feed(bytes([5, code]) + address)
    unreachable = code in (3, 4, 5, 6)
    assert failure.value.kind is (ErrorKind.SOCKS_UNREACHABLE if unreachable else ErrorKind.SOCKS_REFUSED)


@pytest.mark.parametrize(
    ("credentials", "messages", "said"),
    [
        ("", [b"\x05\xff"], "wants a login, and none was given"),
        ("user:pw@", [b"\x05\xff"], "takes neither"),
        ("user:pw@", [LOGIN, b"\x01\x01"], "does not accept the user and password"),
    ],
)
def test_a_login_that_is_missing_or_wrong(credentials: str, messages: list[bytes], said: str) -> None:
    with pytest.raises(UpgradeFailure, match=said) as failure:
        say(request(credentials=credentials), *messages)
    assert failure.value.kind is ErrorKind.PROXY_AUTHENTICATION


@pytest.mark.parametrize(
    "messages",
    [
        [b"HT"],
        [b"\x05\x02"],  # a login that was not offered
        [b"\x05\x07"],
        [NO_LOGIN, b"\x04\x00"],
        [NO_LOGIN, b"\x05\x00\x00\x09\x00\x00\x00"],
    ],
)
def test_what_is_not_socks(messages: list[bytes]) -> None:
    with pytest.raises(UpgradeFailure, match="does not speak SOCKS 5") as failure:
        say(request(), *messages)
    assert failure.value.kind is ErrorKind.PROXY_REFUSED


def test_a_close_before_the_tunnel_is_open() -> None:
    assert request().closed().kind is ErrorKind.CLOSED_WITHOUT_RESPONSE
