"""The hostile server in HTTP/2: reads and counts requests, and sends a row's frames on their streams. Knows no row."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import cast

from tests.support.hostile.behaviour import Peer, Row, Script
from tests.support.hostile.channel import Channel
from tests.support.hostile.http2_frames import (
    ACK,
    CODES,
    CONTINUATION,
    DATA,
    END_STREAM,
    GOAWAY,
    HEADERS,
    MAX_STREAMS,
    PING,
    RST_STREAM,
    SETTINGS,
    SETTINGS_ACK,
    WHOLE,
    WINDOW_SIZE,
    Frame,
    data,
    goaway,
    headers,
    settings,
    window_update,
)
from tests.support.hostile.server import CONVERSATIONS, Conversation, ServedConnection

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_FRAME_HEAD_BYTES = 9
_WIDE = 1 << 24
_NO_LIMIT = 1 << 31


@dataclass(frozen=True)
class Send:
    """Send frames in one write."""

    frames: tuple[Frame, ...]

    def __call__(self, peer: Peer) -> None:
        conversation = cast(Http2Conversation, peer)
        for frame in self.frames:
            conversation.limits.note_sent(frame, conversation.stream)
        conversation.send(b"".join(frame.on(conversation.stream) for frame in self.frames))


class StreamLimits:
    """How many streams are open, and how many the client may open: its acknowledgement makes a limit binding."""

    def __init__(self) -> None:
        self.is_exceeded = False
        self._open: set[int] = set()
        self._limit = _NO_LIMIT
        self._unacknowledged: deque[int | None] = deque()

    def note_sent(self, frame: Frame, stream: int) -> None:
        if frame.kind == SETTINGS and not frame.flags & ACK:
            self._unacknowledged.append(frame.setting(MAX_STREAMS))
        elif frame.kind == RST_STREAM or (frame.kind in (HEADERS, DATA) and frame.flags & END_STREAM):
            self._open.discard(stream)

    def note_acknowledged(self) -> None:
        limit = self._unacknowledged.popleft() if self._unacknowledged else None
        self._limit = self._limit if limit is None else limit

    def note_opened(self, stream: int) -> None:
        self.is_exceeded = self.is_exceeded or len(self._open) >= self._limit
        self._open.add(stream)

    def note_reset(self, stream: int) -> None:
        self._open.discard(stream)


def send(*frames: Frame) -> Send:
    return Send(frames)


def no_acknowledgement(peer: Peer) -> None:
    """The client's SETTINGS are never acknowledged."""
    cast(Http2Conversation, peer).acknowledges = False


def answer_at_the_head(peer: Peer) -> None:
    """A request is answered while its content is still being sent."""
    cast(Http2Conversation, peer).answers_at_head = True


ANSWER = send(headers(), data())
"""A good response: 200, five bytes."""


def last_stream(peer: Peer) -> None:
    """GOAWAY: the present request is the last one that is answered."""
    conversation = cast(Http2Conversation, peer)
    conversation.play((send(goaway(conversation.stream)),))


def answer_and_leave(peer: Peer) -> None:
    """A good response and that GOAWAY, in one write."""
    conversation = cast(Http2Conversation, peer)
    conversation.play((send(headers(), data(), goaway(conversation.stream)),))


class Http2Conversation(Conversation):
    """One connection. What the client says beside its requests is noted in `served.said`."""

    good: Script = (ANSWER,)
    last: Script = (answer_and_leave,)

    def __init__(self, row: Row, channel: Channel, served: ServedConnection, is_first: bool) -> None:
        super().__init__(row, channel, served, is_first)
        self.stream = 0
        """Of the request that came last."""
        self.limits = StreamLimits()
        self.acknowledges = True
        self.answers_at_head = False
        """A request is answered once its head has come."""
        self._is_greeted = False
        self._complete: deque[int] = deque()
        self._request_bytes = 0

    @property
    def bytes_received(self) -> int:
        """Of requests alone, as a client counts them."""
        return self._request_bytes

    def run(self) -> None:
        if self.is_first or not self.row.greeting:
            self.play((send(settings()),))
        if "HEAD" in self.row.options:
            self.good = (send(headers(flags=WHOLE)),)
        if "--data" in self.row.options and (self.is_first or not self.row.greeting):  # it fits into the windows
            self.play((send(window_update(_WIDE, stream=0), settings((WINDOW_SIZE, _WIDE))),))
        super().run()

    def read_request(self) -> bool:
        """Read until a stream's request is complete."""
        while not self._complete:
            if not self._read_frame():
                return False
        self.stream = self._complete.popleft()
        self.served.requests += 1
        return True

    # Inside

    def _read_frame(self) -> bool:
        if not self._is_greeted:
            if self._take(len(_PREFACE)) != _PREFACE:
                return False
            self._is_greeted = True
        head = self._take(_FRAME_HEAD_BYTES)
        if head is None:
            return False
        payload = self._take(int.from_bytes(head[:3], "big"))
        if payload is None:
            return False
        self._note(head[3], head[4], int.from_bytes(head[5:], "big"), payload)
        return True

    def _note(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        said = self.served.said
        if kind == HEADERS:
            self.limits.note_opened(stream)
            if self.limits.is_exceeded:
                said.add("too_many_streams")
        if kind in (HEADERS, DATA, CONTINUATION):
            self._request_bytes += _FRAME_HEAD_BYTES + len(payload)
            is_end = kind == HEADERS if self.answers_at_head else kind != CONTINUATION and flags & END_STREAM
            if is_end:
                self._complete.append(stream)
        elif kind == SETTINGS and not flags & ACK and self.acknowledges:
            if not self.is_finished:
                self.play((send(SETTINGS_ACK),))
        elif kind == SETTINGS:
            self.limits.note_acknowledged()
            said.add("settings_ack")
        elif kind == GOAWAY:
            said.add(f"goaway:{CODES[int.from_bytes(payload[4:8], 'big')]}")
        elif kind == RST_STREAM:
            self.limits.note_reset(stream)
            said.add(f"reset:{CODES[int.from_bytes(payload, 'big')]}")
        elif kind == PING and flags & ACK:
            said.add(f"pong:{payload.decode('latin-1')}")


CONVERSATIONS["http/2"] = Http2Conversation
