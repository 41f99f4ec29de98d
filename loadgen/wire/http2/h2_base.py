"""What both sides here change in the library h2's connection, where it stops short of RFC 9113. Knows no stream."""

from __future__ import annotations

import sys
from typing import Any, ClassVar

from h2.connection import ConnectionInputs, ConnectionState, H2Connection, H2ConnectionStateMachine
from h2.errors import ErrorCodes
from hpack import HPACKError, OversizedHeaderListError
from hyperframe.exceptions import InvalidDataError


class BaseH2Connection(H2Connection):
    """The library's connection, on which a GOAWAY ends no stream that is still answered (RFC 9113 §6.8)."""

    # How many closed streams it remembers: frames that were already on their way to one of them are no error. The
    # library's default, 65,536, would take megabytes for each connection.
    MAX_CLOSED_STREAMS = 1024

    open_after_goaway: ClassVar[frozenset[ConnectionState]]
    """The states in which the peer's GOAWAY changes nothing; the library's own machine stops there."""

    def __init__(self, configuration: Any) -> None:
        super().__init__(configuration)
        self.state_machine = H2ConnectionStateMachine()
        self.state_machine._transitions = H2ConnectionStateMachine._transitions | {
            (state, ConnectionInputs.RECV_GOAWAY): (None, state) for state in self.open_after_goaway
        }

    def _terminate_connection(self, error_code: ErrorCodes) -> None:
        super()._terminate_connection(_code_of(sys.exception(), error_code))

    def clear_outbound_data_buffer(self) -> None:
        """Keep it: the library drops it at a GOAWAY, but it holds acknowledgements, settings and frames of streams."""


def _code_of(error: BaseException | None, code: ErrorCodes) -> ErrorCodes:
    """The code of a connection error; the library has PROTOCOL_ERROR also for what has a code of its own."""
    cause = error.__cause__ if error is not None else None
    if isinstance(cause, HPACKError) and not isinstance(cause, OversizedHeaderListError):
        return ErrorCodes.COMPRESSION_ERROR  # RFC 9113 §4.3
    if isinstance(cause, InvalidDataError) and "SETTINGS ack" in str(cause):
        return ErrorCodes.FRAME_SIZE_ERROR  # RFC 9113 §6.5
    return code
