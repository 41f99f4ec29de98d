"""CONNECT: whatever the fragments, what is the proxy's is taken and what is the tunnel's left; refusals have names."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadgen.model.errors import ErrorKind
from loadgen.wire.errors import UpgradeFailure
from loadgen.wire.http1.head import MAX_HEAD_BYTES, BodyTooLarge, HeadTooLarge, Malformed, parse_response_head
from loadgen.wire.proxy.connect import ConnectRequest, ProxyLogin, challenge_schemes, connect_request
from tests.support.cuts import Cut, either_way

BASIC = "Basic dXNlcjpwYXNz"
OPEN = b"HTTP/1.1 200 Connection established\r\n\r\n"
ASKED = b'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="a, b"\r\n'


class Dialogue:
    """A tunnel and a proxy whose answers come in pieces. sent: what the proxy got; left: what was not the proxy's."""

    def __init__(self, login: ProxyLogin | None = None) -> None:
        self.tunnel = ConnectRequest("h:443", login or ProxyLogin(""))
        self.sent: list[bytes] = []
        self.left = b""
        self._send()

    def _send(self) -> None:
        if self.tunnel.outgoing:
            self.sent.append(self.tunnel.outgoing)
            self.tunnel.outgoing = b""

    def arrive(self, pieces: list[bytes]) -> Dialogue:
        for piece in pieces:
            self.left += piece
            while self.left and not self.tunnel.open:
                taken = self.tunnel.feed(self.left)
                assert taken > 0
                self.left = self.left[taken:]
                self._send()
        return self

    def refused(self, pieces: list[bytes]) -> UpgradeFailure:
        with pytest.raises(UpgradeFailure) as caught:
            self.arrive(pieces)
        assert not self.tunnel.open
        return caught.value


def test_the_request_is_in_authority_form() -> None:
    assert connect_request("h:443", "") == b"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\nUser-Agent: loadgen\r\n\r\n"
    head = connect_request("[::1]:80", BASIC).decode()
    assert head.splitlines()[:2] == ["CONNECT [::1]:80 HTTP/1.1", "Host: [::1]:80"]
    assert f"Proxy-Authorization: {BASIC}" in head.splitlines()


AGREEMENTS = {
    "plain": OPEN,
    "old": b"HTTP/1.0 200 OK\r\n\r\n",
    "another 2xx": b"HTTP/1.1 204 No Content\r\n\r\n",
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n",
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "both": b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\nTRANSFER-ENCODING: chunked\r\n\r\n",
    "nonsense": b"HTTP/1.1 200 OK\r\nContent-Length : x\r\nContent-Length: 1, 2\r\n\r\n",
    "line feeds": b"HTTP/1.1 200 OK\nContent-Length: 5\n\n",
    "folded": b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length:\r\n 5\r\nY: c\r\n\r\n",
    "folded length first": b"HTTP/1.1 200 OK\r\nContent-Length:\r\n 5\r\nX: a\r\n\r\n",
    "after an empty line": b"\r\n" + OPEN,
    "after interim ones": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OPEN,
}


@either_way
@pytest.mark.parametrize("answer", AGREEMENTS.values(), ids=AGREEMENTS)
@pytest.mark.parametrize("behind", [b"", b"\x16\x03\x01", b"HTTP/1.1 407 No\r\n\r\n"])
def test_what_follows_a_2xx_belongs_to_the_tunnel(answer: bytes, behind: bytes, cut: Cut) -> None:
    dialogue = Dialogue().arrive(cut(answer + behind))
    assert dialogue.tunnel.open
    assert dialogue.left == behind
    assert len(dialogue.sent) == 1


CONTENTS = {
    "none": b"Content-Length: 0\r\n\r\n",
    "some": b"Content-Length: 12\r\n\r\nHTTP/1.1 200",
    "chunked": b"Transfer-Encoding: chunked\r\n\r\n3\r\nno!\r\n0\r\n\r\n",
    "chunked, with a blank": b"Transfer-Encoding: chunked\r\n\r\n3 \r\nno!\r\n0\r\n\r\n",
}


@either_way
@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_a_challenge_is_answered_once_on_the_same_connection(content: bytes, cut: Cut) -> None:
    login = ProxyLogin(BASIC)
    dialogue = Dialogue(login).arrive(cut(ASKED + content))
    assert not dialogue.tunnel.open
    assert dialogue.tunnel.challenged
    assert dialogue.left == b""
    assert dialogue.sent == [connect_request("h:443", ""), connect_request("h:443", BASIC)]
    dialogue.arrive(cut(OPEN + b"far"))
    assert dialogue.tunnel.open
    assert dialogue.left == b"far"
    assert Dialogue(login).sent == [connect_request("h:443", BASIC)]  # from now on unasked


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(sorted(CONTENTS)), st.sampled_from(sorted(AGREEMENTS)), st.sets(st.integers(1, 400)), st.binary()
)
def test_fragments_change_nothing(content: str, agreement: str, places: set[int], behind: bytes) -> None:
    first, second = ASKED + CONTENTS[content], AGREEMENTS[agreement] + behind
    dialogue = Dialogue(ProxyLogin(BASIC))
    for data in (first, second):
        bounds = [0, *sorted(place for place in places if place < len(data)), len(data)]
        dialogue.arrive([data[begin:end] for begin, end in pairwise(bounds)])
    assert dialogue.tunnel.open
    assert dialogue.left == behind
    assert dialogue.sent == [connect_request("h:443", ""), connect_request("h:443", BASIC)]


@either_way
def test_wrong_credentials_are_not_sent_again_and_again(cut: Cut) -> None:
    login = ProxyLogin(BASIC)
    dialogue = Dialogue(login).arrive(cut(ASKED + CONTENTS["some"]))
    error = dialogue.refused(cut(ASKED + CONTENTS["some"]))
    assert error.kind is ErrorKind.PROXY_AUTHENTICATION
    assert "does not accept" in str(error)
    assert len(dialogue.sent) == 2


def test_a_401_to_credentials_means_the_same() -> None:
    login = ProxyLogin(BASIC)
    login.wanted = True
    error = Dialogue(login).refused([b"HTTP/1.0 401 Unauthorized\r\n\r\n"])
    assert error.kind is ErrorKind.PROXY_AUTHENTICATION
    assert str(error).endswith("that were given (401 Unauthorized)")
    assert Dialogue().refused([b"HTTP/1.0 401 Unauthorized\r\n\r\n"]).kind is ErrorKind.PROXY_REFUSED


UNANSWERABLE = {
    "none were given": ("", ASKED + CONTENTS["none"], "none were given"),
    "Digest": (BASIC, b'HTTP/1.1 407 No\r\nProxy-Authenticate: Digest realm="Basic x", qop="auth"\r\n\r\n', "Digest"),
    "two others": (BASIC, b"HTTP/1.1 407 No\r\nProxy-Authenticate: NTLM, Negotiate abc=\r\n\r\n", "NTLM, Negotiate"),
    "no challenge": (BASIC, b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n", "does not say"),
}


@either_way
@pytest.mark.parametrize(("login", "answer", "said"), UNANSWERABLE.values(), ids=UNANSWERABLE)
def test_a_challenge_without_an_answer_fails(login: str, answer: bytes, said: str, cut: Cut) -> None:
    mine = ProxyLogin(login)
    dialogue = Dialogue(mine)
    error = dialogue.refused(cut(answer))
    assert error.kind is ErrorKind.PROXY_AUTHENTICATION
    assert said in str(error)
    assert "dXNlcjpwYXNz" not in str(error)
    assert not mine.wanted
    assert len(dialogue.sent) == 1


ENDING = {
    "says so": ASKED + b"Connection: close\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.0": ASKED.replace(b"1.1", b"1.0") + b"\r\n",
    "no length": ASKED + b"\r\n",
}


@pytest.mark.parametrize("answer", ENDING.values(), ids=ENDING)
def test_a_challenge_that_ends_the_connection_is_remembered(answer: bytes) -> None:
    login = ProxyLogin(BASIC)
    error = Dialogue(login).refused([answer])
    assert error.kind is ErrorKind.PROXY_AUTHENTICATION
    assert login.wanted
    assert Dialogue(login).arrive([OPEN]).sent == [connect_request("h:443", BASIC)]


@either_way
@pytest.mark.parametrize("status", ["403 Forbidden", "502 Bad Gateway", "302 Found", "404"])
def test_a_refusal_tells_its_status(status: str, cut: Cut) -> None:
    error = Dialogue().refused(cut(f"HTTP/1.1 {status}\r\nContent-Length: 3\r\n\r\nno!".encode()))
    assert error.kind is ErrorKind.PROXY_REFUSED
    assert str(error) == f"the proxy answered CONNECT with {status}"


def test_another_protocol_is_no_tunnel() -> None:
    error = Dialogue().refused([b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"])
    assert (error.kind, str(error)) == (ErrorKind.PROXY_REFUSED, "the proxy answered CONNECT with 101 Switching")


@either_way
@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH\r\n\r\n", b"\x15\x03\x01\x00\x02\x02\x46", b"HTTP/2 200\r\n\r\n"])
def test_garbage_is_no_answer(answer: bytes, cut: Cut) -> None:
    with pytest.raises(Malformed):
        Dialogue().arrive(cut(answer))


ENDLESS = {
    "head": (OPEN[:-2] + b"X: " + b"a" * MAX_HEAD_BYTES, HeadTooLarge),
    "whole head": (OPEN[:-2] + b"X: " + b"a" * MAX_HEAD_BYTES + b"\r\n\r\n", HeadTooLarge),
    "interim responses": (b"HTTP/1.1 100 Continue\r\n\r\n" * 102, HeadTooLarge),
    "challenge": (ASKED + b"Content-Length: 99999999\r\n\r\n", BodyTooLarge),
}


@pytest.mark.parametrize(("answer", "error"), ENDLESS.values(), ids=ENDLESS)
def test_an_answer_without_end_is_given_up(answer: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        Dialogue(ProxyLogin(BASIC)).arrive([answer[at : at + 4096] for at in range(0, len(answer), 4096)])


def test_a_close_is_named_by_how_far_it_came() -> None:
    assert Dialogue().tunnel.closed().kind is ErrorKind.CLOSED_WITHOUT_RESPONSE
    assert Dialogue().arrive([OPEN[:10]]).tunnel.closed().kind is ErrorKind.TRUNCATED
    asked = Dialogue(ProxyLogin(BASIC)).arrive([ASKED + CONTENTS["none"]])
    assert asked.tunnel.closed().kind is ErrorKind.PROXY_AUTHENTICATION


SCHEMES = {
    b'Basic realm="x"': ["Basic"],
    b'Digest realm="a, Basic b", nonce=1, Basic realm="x"': ["Digest", "Basic"],
    b"Negotiate, NTLM , basic charset=UTF-8": ["Negotiate", "NTLM", "basic"],
    b'Digest realm = "x", Basic': ["Digest", "Basic"],
    b"Negotiate TlRMTVNTUAAC==": ["Negotiate"],
    b'Digest realm="a \\", Basic \\" b"': ["Digest"],
    b"": [],
    b", ,": [],
}


@pytest.mark.parametrize(("value", "schemes"), SCHEMES.items(), ids=str)
def test_schemes_of_a_challenge(value: bytes, schemes: list[str]) -> None:
    head = parse_response_head(b"HTTP/1.1 407 No\r\nproxy-authenticate: " + value + b"\r\n\r\n")
    assert challenge_schemes(head) == schemes


def test_schemes_of_several_lines() -> None:
    head = parse_response_head(b"HTTP/1.1 407 No\r\nProxy-Authenticate: NTLM\r\nProxy-Authenticate: Basic\r\n\r\n")
    assert challenge_schemes(head) == ["NTLM", "Basic"]
