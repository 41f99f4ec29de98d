"""OpenTelemetry: the run's metrics as OTLP in JSON, to `otlp.json`, or by HTTP to a collector's URL.

Fields for the collector, such as its key, come from OTEL_EXPORTER_OTLP_HEADERS (OpenTelemetry, "OTLP exporter
configuration"), so that no command line holds them.
"""

from __future__ import annotations

import http.client
import json
import os
from typing import TextIO
from urllib.parse import unquote, urlsplit

from loadgen.show.export.exporter import Exporter, RunData, Written
from loadgen.show.export.otlp_metrics import request_of

_PATH = "/v1/metrics"
_TIMEOUT_S = 10
_HEADERS = "OTEL_EXPORTER_OTLP_HEADERS"


def _text(run: RunData) -> str:
    return json.dumps(request_of(run), allow_nan=False)


def _write(run: RunData, stream: TextIO) -> None:
    stream.write(_text(run) + "\n")


def _send(run: RunData, url: str) -> None:
    """POST it; a URL without a path gets that of metrics. Raises OSError, also where the collector refuses it."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_TIMEOUT_S)
    path = parts.path.rstrip("/") or _PATH
    fields = {**_fields(os.environ.get(_HEADERS, "")), "Content-Type": "application/json"}
    try:
        connection.request("POST", path, _text(run).encode(), fields)
        status = connection.getresponse().status
    except (http.client.HTTPException, ValueError) as error:
        raise OSError(f"{parts.hostname} did not take it: {error!r}") from None
    finally:
        connection.close()
    if not 200 <= status < 300:
        raise OSError(f"{parts.hostname} answered with {status}")


def _fields(text: str) -> dict[str, str]:
    """`key=value,key=value`, percent-encoded (W3C Baggage)."""
    pairs = (pair.partition("=") for pair in text.split(",") if "=" in pair)
    return {name.strip(): unquote(value.strip()) for name, _, value in pairs}


OTLP = Exporter(
    name="otlp",
    file_name="otlp.json",
    title="metrics for OpenTelemetry",
    help="Metrics for OpenTelemetry, to a file or a collector's URL.",
    written=Written.ON_REQUEST,
    write=_write,
    send=_send,
)
