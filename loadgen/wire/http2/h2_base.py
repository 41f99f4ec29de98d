"""What both sides here change in the library h2's connection, where it stops short of RFC 9113. Knows no stream."""

from __future__ import annotations

from typing import Any, ClassVar

from h2.connection import ConnectionInputs, ConnectionState, H2Connection, H2ConnectionStateMachine


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

    def clear_outbound_data_buffer(self) -> None:
        """Keep it: the library drops it at a GOAWAY, but it holds acknowledgements, settings and frames of streams."""
