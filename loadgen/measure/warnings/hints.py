"""What an error kind of upgrades, of the protocols after them or of a proxy means, and what to do. Counts nothing."""

from __future__ import annotations

from loadgen.model.records import ErrorKind

_ADVICE = {
    ErrorKind.UPGRADE_REFUSED: "the server answered the upgrade like any request: does this path speak WebSocket?",
    ErrorKind.UPGRADE_WRONG_PROTOCOL: "the server switched to another protocol than the one asked for",
    ErrorKind.UPGRADE_TIMEOUT: "the upgrade was not answered in time; allow more with --timeout",
    ErrorKind.WEBSOCKET_WRONG_ACCEPT: "the server's Sec-WebSocket-Accept does not fit the key: is a cache in between?",
    ErrorKind.WEBSOCKET_PROTOCOL: "the server sent a frame that RFC 6455 forbids",
    ErrorKind.WEBSOCKET_MASKED: "the server masks its frames, which only a client may (RFC 6455 §5.1)",
    ErrorKind.WEBSOCKET_INVALID_UTF8: "the server sent text that is not UTF-8 (RFC 6455 §8.1)",
    ErrorKind.WEBSOCKET_TOO_LARGE: "the answer was longer than --max-body",
    ErrorKind.WEBSOCKET_CLOSED: (
        "the server began the close handshake instead of answering: if it ends connections after some messages, use "
        "recycle:K with a K below that"
    ),
    ErrorKind.HTTP2_PROTOCOL: "the server sent what RFC 9113 forbids, or does not speak HTTP/2 here",
    ErrorKind.HTTP2_FLOOD: "the server sent more control frames than any client needs (RFC 9113 §10.5)",
    ErrorKind.HTTP2_SETTINGS_TIMEOUT: "the server never acknowledged our SETTINGS (RFC 9113 §6.5.3)",
    ErrorKind.HTTP2_GOAWAY: (
        "the server ended the connection and processed these no more: if it does so after some streams, use recycle:K "
        "with a K below that"
    ),
    ErrorKind.HTTP2_RESET: "the server ended single streams and kept the connection",
    ErrorKind.PROXY_REFUSED: "the proxy did not let the connection through to the target",
    ErrorKind.PROXY_AUTHENTICATION: "the proxy wants credentials, or others than it got with --proxy",
    ErrorKind.PROXY_TIMEOUT: "the proxy did not open the way to the target in time; allow more with --timeout",
}
_BY_LABEL = {kind.label: words for kind, words in _ADVICE.items()}


def advice(errors: dict[str, int]) -> str:
    """What is to be said beside these counts by kind, the most frequent first; empty where the kinds say it all."""
    told = sorted((label for label in errors if label in _BY_LABEL), key=errors.__getitem__, reverse=True)
    return "".join(f"; {label}: {_BY_LABEL[label]}" for label in told)
