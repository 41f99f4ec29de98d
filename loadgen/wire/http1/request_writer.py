"""One HTTP/1.x request as bytes (RFC 9112). Knows no socket and no response."""

from __future__ import annotations

from loadgen.model.body_transfer import DEFAULT_TRANSFER, BodyTransfer
from loadgen.model.request_method import WITH_CONTENT
from loadgen.wire.http1.chunked_content import ChunkedContent
from loadgen.wire.http1.final_head import END_OF_HEAD
from loadgen.wire.http1.upload import Content, Upload


def with_defaults(host_field: str, headers: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    """The default fields and then the caller's, which replace defaults of the same name."""
    given = {name.lower() for name, _ in headers}
    defaults = (("Host", host_field), ("User-Agent", "loadgen"), ("Accept", "*/*"))
    return [*(field for field in defaults if field[0].lower() not in given), *headers]


def sends_length(method: str, body: Content) -> bool:
    """A method that gives its body a meaning sends the length even when it is 0 (RFC 9110 §8.6)."""
    return len(body) > 0 or method in WITH_CONTENT


def chunked_body(body: bytes, max_chunk_bytes: int) -> bytes:
    """The body in chunks, all but the last of this length (RFC 9112 §7.1)."""
    pieces = (body[begin : begin + max_chunk_bytes] for begin in range(0, len(body), max_chunk_bytes))
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def build_request(
    method: str,
    path: str,
    host_field: str,
    headers: tuple[tuple[str, str], ...],
    body: bytes,
    connection: str,
    version: str = "1.1",
    trailers: bool = False,
    transfer: BodyTransfer = DEFAULT_TRANSFER,
) -> bytes:
    """One request in origin-form, as bytes. A field of the caller's replaces the default of the same name.

    connection: the Connection field's value; empty for no such field. trailers: say that trailer sections are
    understood (RFC 9110 §10.1.4), which HTTP/1.0 has no way to say. transfer: how the body is sent.
    """
    head = _head(method, path, host_field, headers, body, connection, version, trailers, transfer)
    return head + (chunked_body(body, transfer.max_chunk_bytes) if transfer.chunked else body)


def build_upload(
    method: str,
    path: str,
    host_field: str,
    headers: tuple[tuple[str, str], ...],
    body: Content,
    connection: str,
    version: str,
    trailers: bool,
    transfer: BodyTransfer,
) -> Upload:
    """The same as an upload, whose body may be in a file."""
    head = _head(method, path, host_field, headers, body, connection, version, trailers, transfer)
    content = ChunkedContent(body, transfer.max_chunk_bytes) if transfer.chunked else body
    return Upload(head, content, transfer.expects_continue)


def _head(
    method: str, path: str, host_field: str, headers: tuple[tuple[str, str], ...], body: Content, connection: str,
    version: str, trailers: bool, transfer: BodyTransfer,
) -> bytes:  # fmt: skip
    lines = [f"{method} {path} HTTP/{version}"]
    lines += [f"{name}: {value}" for name, value in with_defaults(host_field, headers)]
    lines += _framing(method, body, transfer)
    if trailers and version != "1.0":
        # TE is for the next hop alone: its sender must name it in Connection, so that no intermediary forwards it.
        lines.append("TE: trailers")
        connection = f"{connection}, TE" if connection else "TE"
    if connection:
        lines.append(f"Connection: {connection}")
    return "\r\n".join(lines).encode("latin-1") + END_OF_HEAD


def _framing(method: str, body: Content, transfer: BodyTransfer) -> list[str]:
    """The fields that say what comes behind the head (RFC 9112 §6), and whether it waits (RFC 9110 §10.1.1)."""
    expectation = ["Expect: 100-continue"] if transfer.expects_continue else []
    if transfer.chunked:
        return [*expectation, "Transfer-Encoding: chunked"]
    return [*expectation, f"Content-Length: {len(body)}"] if sends_length(method, body) else expectation
