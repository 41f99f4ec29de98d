"""How a request's body is sent, as a value. Knows no body and sends nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Sized
from dataclasses import dataclass, replace

from loadgen.model.body_file import BodyFile, can_stream
from loadgen.model.exceptions import PlanError
from loadgen.model.options import default
from loadgen.model.planned_request import PlannedRequest
from loadgen.model.policy import H2C_UPGRADE, WEBSOCKET, ConnectionPolicy

_USUAL_CHUNK_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class BodyTransfer:
    """What `--chunked` and the options beside it say."""

    chunked: bool = default("chunked")
    """The body goes in chunks, and no field says its length (RFC 9112 §7.1)."""
    chunk_bytes: int | None = None
    """The longest chunk; None: the usual one."""
    file: BodyFile | None = None
    """Where the body is, if it is not in the plan."""
    expects_continue: bool = default("expect_continue")
    """The body waits for 100 Continue (RFC 9110 §10.1.1)."""
    continue_timeout_ns: int = default("continue_timeout")
    """How long, at most."""

    @property
    def max_chunk_bytes(self) -> int:
        """The longest chunk."""
        return self.chunk_bytes or _USUAL_CHUNK_BYTES

    @property
    def in_pieces(self) -> bool:
        """Requests are uploads, of which a connection sends a piece at a time."""
        return self.expects_continue or self.file is not None

    def expects(self, body: Sized) -> bool:
        """This body waits for 100 Continue; an empty one has nothing to wait with."""
        return self.expects_continue and len(body) > 0

    def of_request(self, *, has_body: bool, has_own: bool, chunked: bool) -> BodyTransfer:
        """How one of several requests is sent. has_own: its body is its own. chunked: it asks for chunks itself."""
        file = None if has_own else self.file
        has_body = has_body or file is not None
        chunked = has_body and (chunked or self.chunked)
        return replace(
            self,
            chunked=chunked,
            chunk_bytes=self.chunk_bytes if chunked else None,
            file=file,
            expects_continue=has_body and self.expects_continue,
        )

    def check(
        self,
        has_body: bool,
        requests: Sequence[PlannedRequest],
        headers: Iterable[tuple[str, str]],
        policies: Iterable[ConnectionPolicy],
    ) -> None:
        """Raise PlanError where nothing is there to be sent so, or a policy can't send it.

        has_body, headers: of the plan. requests: several, which may have bodies of their own.
        """
        has_body = has_body or any(one.body for one in requests)
        some_chunked = self.chunked or any(one.chunked for one in requests)
        if self.expects_continue and any(name.lower() == "expect" for name, _ in headers):
            raise PlanError("the header 'Expect' can't be given beside --expect-continue, which sends it")
        if self.chunked and not has_body:
            raise PlanError("--chunked is for a request with a body; give --data too")
        if self.expects_continue and not has_body:
            raise PlanError("--expect-continue is for a request with a body; give --data too")
        if self.chunk_bytes is not None and not some_chunked:
            raise PlanError("--chunk-size is for a body in chunks; give --chunked too")
        for policy in policies:
            if some_chunked:
                _check_chunks(policy)
            if self.expects_continue:
                _check_expectation(policy)
            if self.file is not None and not can_stream(policy):
                raise PlanError(f"--data {self.file.path} is sent in pieces, which the policy {policy.name} can't")


def _check_chunks(policy: ConnectionPolicy) -> None:
    if policy.protocol == WEBSOCKET:
        raise PlanError(f"chunks are for requests, and the policy {policy.name} sends messages")
    if policy.http_version == "1.0":
        raise PlanError(f"HTTP/1.0 has no chunks (RFC 9112 §7.1), so the policy {policy.name} can't send them")


def _check_expectation(policy: ConnectionPolicy) -> None:
    if policy.http_version == "1.0":
        raise PlanError(
            f"HTTP/1.0 has no 100 Continue (RFC 9110 §10.1.1), so the policy {policy.name} can't wait for it"
        )
    for other, why in (
        (policy.protocol == WEBSOCKET, "sends messages, which wait for nothing"),
        (policy.protocol == H2C_UPGRADE, "sends its first request whole, with the offer to upgrade (RFC 7540 §3.2)"),
        (policy.pipelines, "has further requests in flight, and a body that waits would stop them"),
        (policy.early_data, "sends its first request with the handshake, before the server could say 100 Continue"),
    ):
        if other:
            raise PlanError(f"--expect-continue: the policy {policy.name} {why}")


DEFAULT_TRANSFER = BodyTransfer()
