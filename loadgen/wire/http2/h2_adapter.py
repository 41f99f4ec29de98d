"""The library h2's connection as the client uses it: its settings, its windows, the sizes of its header blocks.

Knows no HttpStream, no socket and no clock.
"""

from __future__ import annotations

from collections import deque

from h2 import events
from h2.config import H2Configuration
from h2.connection import ConnectionState
from h2.errors import ErrorCodes
from h2.exceptions import InvalidBodyLengthError, ProtocolError
from h2.settings import SettingCodes, Settings
from hyperframe.frame import Frame, HeadersFrame, RstStreamFrame

from loadgen.wire.http2.h2_base import BaseH2Connection
from loadgen.wire.http2.hpack_cache import RememberingDecoder, RememberingEncoder

CONNECTION_WINDOW_BYTES = 16 << 20
# Wide enough that a response of ordinary size never waits for a window, as in browsers and curl.
_STREAM_WINDOW_BYTES = 1 << 20
_FIRST_WINDOW_BYTES = 65_535  # RFC 9113 §6.9.2
_CONFIGURATION = H2Configuration(
    client_side=True,
    header_encoding=None,
    validate_outbound_headers=False,  # they are checked where they are made
    normalize_outbound_headers=False,
    validate_inbound_headers=False,  # see wire/http2/fields.py
    normalize_inbound_headers=False,
)
_SETTINGS = {
    SettingCodes.ENABLE_PUSH: 0,
    SettingCodes.INITIAL_WINDOW_SIZE: _STREAM_WINDOW_BYTES,
    SettingCodes.MAX_HEADER_LIST_SIZE: BaseH2Connection.DEFAULT_MAX_HEADER_LIST_SIZE,
}
_CODE_NAMES: dict[int | None, str] = {code: code.name for code in ErrorCodes}
_SECTIONS = (events.ResponseReceived, events.TrailersReceived, events.InformationalResponseReceived)


class ClientH2Connection(BaseH2Connection):
    """One connection, whose first frames are ready to be sent. Raises what the library raises."""

    open_after_goaway = frozenset({ConnectionState.CLIENT_OPEN})

    def __init__(self, upgrades: bool) -> None:
        super().__init__(_CONFIGURATION)
        self.encoder = self._encoder = RememberingEncoder()
        self.decoder = self._decoder = RememberingDecoder()
        self.decoder.max_header_list_size = self.DEFAULT_MAX_HEADER_LIST_SIZE
        self.local_settings = Settings(client=True, initial_values=_SETTINGS)
        # The events of the last bytes received, also where a frame after them broke the rules.
        self.found: list[events.Event] = []
        # Of those events: the sizes (bytes) of the header blocks, in order.
        self.sections: deque[int] = deque()
        # The value of HTTP2-Settings, where the connection begins with an upgrade (RFC 7540 §3.2.1).
        self.upgrade_settings = ""
        if upgrades:
            self.upgrade_settings = (self.initiate_upgrade_connection() or b"").decode("ascii").rstrip("=")
        else:
            self.initiate_connection()
        self.increment_flow_control_window(CONNECTION_WINDOW_BYTES - _FIRST_WINDOW_BYTES)

    @property
    def sent_block_bytes(self) -> int:
        """The size of the last header block sent."""
        return self._encoder.block_bytes

    def _receive_headers_frame(self, frame: HeadersFrame) -> tuple[list[Frame], list[events.Event]]:
        self._check_begun(frame)
        return super()._receive_headers_frame(frame)

    def _receive_rst_stream_frame(self, frame: RstStreamFrame) -> tuple[list[Frame], list[events.Event]]:
        self._check_begun(frame)
        return super()._receive_rst_stream_frame(frame)

    def _check_begun(self, frame: Frame) -> None:
        """Raises ProtocolError for a stream that this side never began (RFC 9113 §5.1.1, §6.4)."""
        number = frame.stream_id
        if number > self.highest_outbound_stream_id or not number & 1:
            raise ProtocolError(f"a frame on stream {number}, which is idle")

    def _receive_frame(self, frame: Frame) -> list[events.Event]:
        found: list[events.Event] = super()._receive_frame(frame)
        self.found += found
        if found and isinstance(found[0], _SECTIONS):
            self.sections.append(self._decoder.block_bytes)
        return found


def error_text(error: Exception) -> str:
    """The library's message, without the parts that only its own developers can read."""
    if isinstance(error, InvalidBodyLengthError):
        return f"content-length is {error.expected_length}, but {error.actual_length} bytes came"
    text = (str(error).removesuffix(".") or type(error).__name__).replace(" b'", " '")
    return text.partition(": ")[0] if "header block: " in text else text


def code_name(code: ErrorCodes | int | None) -> str:
    """The name of an error code (RFC 9113 §7); its number where it has none."""
    return _CODE_NAMES.get(code, f"error {code}")
