"""The options that say how the request's body is sent, one row each, as in `options.py`."""

from __future__ import annotations

from loadgen.model.body_file import BodyFileType
from loadgen.model.option import LocustArgument, Option, OptionGroup
from loadgen.model.units import NS_PER_MS
from loadgen.model.value_types import Duration, Flag, OptionalWhole

MAX_CHUNK_BYTES = 1 << 30
_LOCUST = LocustArgument()

BODY_OPTIONS: tuple[Option, ...] = (
    Option(
        name="chunked", group=OptionGroup.TARGET, type=Flag(), plan_field="transfer.chunked", default=False,
        help="Send the body in chunks, without its length: Transfer-Encoding: chunked.", locust=_LOCUST,
    ),
    Option(
        name="chunk_size", group=OptionGroup.TARGET, type=OptionalWhole(1, MAX_CHUNK_BYTES),
        plan_field="transfer.chunk_bytes", is_implicit=True, metavar="BYTES",
        help="With --chunked: longest chunk; 16384 if unset.", locust=_LOCUST,
    ),
    Option(
        name="body_file", group=OptionGroup.TARGET, type=BodyFileType(), plan_field="transfer.file",
        recorded="body_file", is_implicit=True, commands=(), help="The long file that --data names.",
    ),
    Option(
        name="expect_continue", group=OptionGroup.TARGET, type=Flag(), plan_field="transfer.expects_continue",
        default=False, locust=_LOCUST, needed_for="a body that waits for 100 Continue",
        help="Send Expect: 100-continue, and the body only once the server says 100 Continue.",
    ),
    Option(
        name="continue_timeout", group=OptionGroup.TARGET, type=Duration(NS_PER_MS),
        plan_field="transfer.continue_timeout_ns", default="1s", needs="expect_continue", locust=_LOCUST,
        help="With --expect-continue: send the body after this time even so.",
    ),
)  # fmt: skip
