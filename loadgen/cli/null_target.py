"""`loadgen target --null`: the null target as a process, by hand or as the child of `calibrate`."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from loadgen.cli import EXIT_DONE, Outcome
from loadgen.model.authority import authority
from loadgen.model.exceptions import PlanError
from loadgen.model.value_types import Whole
from loadgen.startup import ENDING_SIGNALS, is_ignored
from loadgen.target.null_server import NullServer, tls_context

_PORTS = Whole(0, 65535)
_TAKES = {"null", "host", "port", "tls", "ca_file", "until_eof"}


def serve_null(options: dict[str, Any], given: dict[str, str]) -> Outcome:
    """Listen until a signal comes (or, with --until-eof, standard input ends); prints the URL once it listens.

    given: which options the user gave, and how they are written. Raises PlanError.
    """
    for name, flag in given.items():
        if name not in _TAKES:
            raise PlanError(f"{flag} can't be had with --null, which gives one fixed response and does nothing else")
    if complaint := _PORTS.complaint(options["port"]):
        raise PlanError(f"--port {complaint}")
    host, port = options["host"], options["port"]
    ca_file = options["ca_file"] or Path(tempfile.gettempdir()) / "loadgen-target-ca.pem"
    try:
        context = tls_context((host, "localhost"), ca_file) if options["tls"] else None
        server = NullServer(host, port, context)
    except OSError as error:
        # Python's own text has the address once more.
        why = os.strerror(error.errno or 0) if error.errno in errno.errorcode else error.strerror
        raise PlanError(f"can't serve on {authority(host, port)}: {why}") from None
    server.end_on(*(number for number in ENDING_SIGNALS if not is_ignored(number)))
    if options["until_eof"]:
        server.end_at_eof(sys.stdin.fileno())
    print(f"{'https' if options['tls'] else 'http'}://{authority(host, server.port)}/", flush=True)  # noqa: T201 # this room prints
    if options["tls"] and not options["until_eof"]:
        print(f"trust it with --cacert {ca_file}", file=sys.stderr)  # noqa: T201 # so it does
    server.serve()
    server.close()
    return Outcome(EXIT_DONE)
