"""Blocks in which nothing was answered: a target that died, or did not answer one policy. Judges no latency."""

from __future__ import annotations

from loadgen.measure.data.downsampling import add_up
from loadgen.measure.data.rows import Samples
from loadgen.measure.labels import listed
from loadgen.model.block_facts import BlockFacts
from loadgen.model.run_record import RunWarning
from loadgen.model.units import count
from loadgen.model.warning_codes import WarningCode

_MAX_NAMED = 5


def outages(samples: Samples) -> list[RunWarning]:
    """At most one warning. Blocks that asked for nothing, or had no window yet, don't count. All have `counted`."""
    blocks = [block for block in samples.blocks if block["window_ns"]]
    silent = [block for block in blocks if _asked(block) and not _answered(block)]
    if not silent:
        return []
    numbers = [block["index"] + 1 for block in silent]
    if silent == blocks[-len(silent) :] and len(silent) > 1:
        where = f"from block {numbers[0]} on"
    else:
        more = f" and {len(numbers) - _MAX_NAMED} more" if len(numbers) > _MAX_NAMED else ""
        where = f"block{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers[:_MAX_NAMED]))}{more}"
    share = f"{_size(silent)} of {count(_size(blocks), 'block')}"
    message = f"no request was answered in {share}, {where}: {_errors(silent)}"
    return [{"code": WarningCode.BLOCKS_WITHOUT_ANSWER.value, "message": message}]


def _size(blocks: list[BlockFacts]) -> int:
    return sum(block.get("grouped", 1) for block in blocks)


def _asked(block: BlockFacts) -> bool:
    return bool(block["started"] or block.get("due") or block.get("unstarted") or block["warmup_errors"])


def _answered(block: BlockFacts) -> bool:
    return bool(block.get("answered", block["exchanges"]))


def _errors(blocks: list[BlockFacts]) -> str:
    errors = add_up([block["counted"] for block in blocks])["errors"]
    return listed(errors) or "no request ended"
