"""The secrets of TLS sessions, appended to the file that SSLKEYLOGFILE names: other tools decrypt a capture with them.

Knows no connection. Off unless the variable is set, as in browsers and curl.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from loadgen.model.exceptions import PlanError
from loadgen.wire.openssl import ffi, lib

VARIABLE = "SSLKEYLOGFILE"


def log_keys(context: Any) -> None:
    """Let a context log its keys where the variable is set. Raises PlanError where the file can't be written."""
    path = os.environ.get(VARIABLE)
    if path:
        lib.SSL_CTX_set_keylog_callback(context._context, _logger(path))


@cache
def _logger(path: str) -> Any:
    """The callback, which lives as long as the process, like its descriptor."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise PlanError(f"{VARIABLE} {path}: {reason}") from None

    def append(_stream: Any, line: Any) -> None:
        # One write for each line: several workers append to one file.
        os.write(descriptor, ffi.string(line) + b"\n")

    return ffi.callback("void (*)(const SSL *, const char *)", append)
