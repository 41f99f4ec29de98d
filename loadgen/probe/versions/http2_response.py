"""Does a response come over HTTP/2, once it is agreed that HTTP/2 is spoken? Opens nothing."""

from __future__ import annotations

from collections.abc import Mapping

from loadgen.model.audit import FindingValue, Verdict
from loadgen.probe.failures import Loss, NoResponse
from loadgen.probe.finding import Finding
from loadgen.probe.http2.http2_link import Http2Link
from loadgen.wire.errors import Failure
from loadgen.wire.http2.h2_frame_client import FrameStream


def failed_response(
    link: Http2Link, stream: FrameStream, agreed: str, values: Mapping[str, FindingValue], advice: str
) -> Finding | None:
    """Wait for the response on a stream; the finding where none comes, None where it has come.

    agreed: how far the two sides were by then, as the begin of a sentence.
    """
    try:
        link.response(stream)
    except (NoResponse, Failure) as failure:
        if isinstance(failure, NoResponse) and failure.how is Loss.TOO_LONG:
            return Finding(
                verdict=Verdict.NOTE,
                measured=f"{agreed}; {failure}",
                values=values,
                advice="name a URL with a short response",
            )
        came = [f"GOAWAY {goaway.code}" for goaway in link.client.goaways]
        if stream.body_bytes:
            came.append(f"{stream.body_bytes:,} bytes of content")
        trouble = f"no response: {'; '.join([str(failure), *came])}"
    else:
        if not stream.reset:
            return None
        trouble = f"the request was reset: {stream.reset}"
    return Finding(
        verdict=Verdict.WARNING, measured=f"{agreed}, but {trouble}", values=values, advice=advice, topic="http2"
    )
