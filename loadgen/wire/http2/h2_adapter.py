"""The library h2's connection as a client's here: what it sends and remembers, and where it stops short of RFC 9113.

Knows no stream of ours, no socket and no clock.
"""

from __future__ import annotations

from collections import deque

from h2 import events
from h2.config import H2Configuration
from h2.connection import ConnectionInputs, ConnectionState, H2Connection, H2ConnectionStateMachine
from h2.errors import ErrorCodes
from h2.exceptions import InvalidBodyLengthError
from h2.settings import SettingCodes, Settings
from hyperframe.frame import Frame

from loadgen.wire.http2.hpack_cache import RememberingDecoder, RememberingEncoder

CONNECTION_WINDOW_BYTES = 16 << 20
# Wide enough that a response of ordinary size never waits for a window, as in browsers and curl.
_STREAM_WINDOW_BYTES = 1 << 20
_FIRST_WINDOW_BYTES = 65_535  # RFC 9113 §6.9.2
_CONFIGURATION = H2Configuration(
    client_side=True,
    header_encoding=None,
    validate_outbound_headers=False,  # they are checked when they are made
    normalize_outbound_headers=False,
    validate_inbound_headers=False,  # see wire/http2/fields.py
    normalize_inbound_headers=False,
)
_SETTINGS = {
    SettingCodes.ENABLE_PUSH: 0,
    SettingCodes.INITIAL_WINDOW_SIZE: _STREAM_WINDOW_BYTES,
    SettingCodes.MAX_HEADER_LIST_SIZE: H2Connection.DEFAULT_MAX_HEADER_LIST_SIZE,
}
_SECTIONS = (events.ResponseReceived, events.TrailersReceived, events.InformationalResponseReceived)


class _Machine(H2ConnectionStateMachine):
    """A GOAWAY ends no stream that the server still answers (RFC 9113 §6.8); the library's own machine stops there."""

    _transitions = H2ConnectionStateMachine._transitions | {
        (ConnectionState.CLIENT_OPEN, ConnectionInputs.RECV_GOAWAY): (None, ConnectionState.CLIENT_OPEN),
    }


class ClientConnection(H2Connection):
    """One connection, its first frames made. Raises what the library raises.

    upgrade_settings: the HTTP2-Settings field's value where it comes of an upgrade (RFC 7540 §3.2.1). found: the events
    of the last octets received, also where a frame behind them broke the rules. sections: of those events, the sizes
    (bytes) of the header blocks, in order. sent_block_bytes: the size of the last one sent.
    """

    # How many streams that are over it knows apart: what is on its way for one that was given up is no error. The
    # library's 65,536 would take megabytes for each connection of ours.
    MAX_CLOSED_STREAMS = 1024

    def __init__(self, upgrades: bool) -> None:
        super().__init__(_CONFIGURATION)
        self.state_machine = _Machine()
        self.encoder = self._encoder = RememberingEncoder()
        self.decoder = self._decoder = RememberingDecoder()
        self.decoder.max_header_list_size = self.DEFAULT_MAX_HEADER_LIST_SIZE
        self.local_settings = Settings(client=True, initial_values=_SETTINGS)
        self.found: list[events.Event] = []
        self.sections: deque[int] = deque()
        self.upgrade_settings = ""
        if upgrades:
            self.upgrade_settings = (self.initiate_upgrade_connection() or b"").decode("ascii").rstrip("=")
        else:
            self.initiate_connection()
        self.increment_flow_control_window(CONNECTION_WINDOW_BYTES - _FIRST_WINDOW_BYTES)

    @property
    def sent_block_bytes(self) -> int:
        return self._encoder.block_bytes

    def _receive_frame(self, frame: Frame) -> list[events.Event]:
        found: list[events.Event] = super()._receive_frame(frame)
        self.found += found
        if found and isinstance(found[0], _SECTIONS):
            self.sections.append(self._decoder.block_bytes)
        return found

    def clear_outbound_data_buffer(self) -> None:
        """Keep it: the library drops it on GOAWAY, but what is in it belongs to streams that go on (RFC 9113 §6.8)."""


def words_of(error: Exception) -> str:
    """What the library says, without what only its own developers can read."""
    if isinstance(error, InvalidBodyLengthError):
        return f"content-length is {error.expected_length}, but {error.actual_length} octets came"
    words = (str(error).removesuffix(".") or type(error).__name__).replace(" b'", " '")
    return words.partition(": ")[0] if "header block: " in words else words


def code_name(code: ErrorCodes | int | None) -> str:
    return code.name if isinstance(code, ErrorCodes) else f"error {code}"
