"""Warnings about a distributed run that no figure can show: who took part, and when. Pure; measures nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from loadgen.model.units import count
from loadgen.model.warning_codes import WarningCode
from loadgen.swarm.user_classes import ClassPolicies

Note = tuple[WarningCode, str]
"""A warning's code and its text."""


def ramp_seconds(users: int, spawn_rate: float) -> float:
    """How long Locust takes to start the users: the first ones come at once, the others at `spawn_rate` a second."""
    return max(0.0, users / (spawn_rate or 1) - 1)


def run_too_short(ramp_s: float, round_s: float, run_s: float) -> list[Note]:
    """run_s: how long Locust lets the test run; 0 if it does not end it."""
    if not run_s or run_s >= ramp_s + round_s:
        return []
    return [
        (
            WarningCode.RUN_TOO_SHORT,
            f"blocks begin when all users are there, after {ramp_s:.0f} s, and a round takes {round_s:.3g} s: the "
            f"run time of {run_s:.0f} s holds no whole round; give it more, or start users faster",
        )
    ]


def no_whole_round(rounds: int, incomplete: int) -> list[Note]:
    """rounds: how many were begun. incomplete: how many of these were cut short, or lost a worker."""
    if incomplete < rounds or not rounds:
        return []
    return [
        (
            WarningCode.RUN_TOO_SHORT,
            "the run ended before one round was whole: the figures are of parts of rounds, in which policies did not "
            "have the same time; give it a longer run time, or shorter blocks",
        )
    ]


def policies_together(class_policies: ClassPolicies) -> list[Note]:
    """User classes with different policies run at the same time."""
    if len(set(class_policies.values())) <= 1:
        return []
    return [
        (
            WarningCode.POLICIES_TOGETHER,
            "the policies are those of different user classes, which load the target at the same time, and may "
            "send it different requests: what differs is not the policy alone",
        )
    ]


def users_changed(numbers: Mapping[str, Sequence[int]], round_number: int) -> list[Note]:
    """numbers: how many users each class had in the blocks so far. round_number: of the last change, counted from 1."""
    changed = {name: found for name, found in numbers.items() if len(set(found)) > 1}
    if not changed:
        return []
    each = [
        f"from {min(found)} to {max(found)} users" + (f" of {name}" if len(numbers) > 1 else "")
        for name, found in changed.items()
    ]
    return [
        (
            WarningCode.USERS_CHANGED,
            f"there were {' and '.join(each)}, last changed in round {round_number}; figures of one policy mix them",
        )
    ]


def users_missing(present: int, expected: int, round_number: int) -> list[Note]:
    """present: the fewest users that made load in a block. expected: how many there were to be.

    round_number: the first one with too few, counted from 1.
    """
    return [
        (
            WarningCode.USERS_MISSING,
            f"fewer users made load than Locust was to start: {present} of {expected} at the least, first in round "
            f"{round_number}; the others had ended, or had not begun: an exception, an on_start that takes long, tags "
            "that leave no task, or a worker that is slow or away (Locust's log says more)",
        )
    ]


def other_users(numbers: Mapping[str, int]) -> list[Note]:
    """numbers: how many users there are of each class that is none of loadgen's."""
    each = [f"{number} of {name}" for name, number in numbers.items() if number]
    if not each:
        return []
    return [
        (
            WarningCode.OTHER_USERS,
            f"users that are not loadgen's ran beside the comparison ({', '.join(each)}): what they send is in none of "
            "its figures, and they take time from what is measured; name the classes that are to run on the command "
            "line, or make these from ReuseUser",
        )
    ]


def workers_away(absences: Sequence[tuple[str, int, int | None]]) -> list[Note]:
    """absences: each with the worker's name, the round in which it went away, and that in which it was back or None.

    Rounds count from 0.
    """
    if not absences:
        return []
    each = [
        f"{name} from round {first + 1} " + (f"until it was back for round {back + 1}" if back is not None else "on")
        for name, first, back in absences
    ]
    return [
        (
            WarningCode.WORKER_AWAY,
            f"workers did not answer, and the others went on without them: {'; '.join(each)}; figures leave out the "
            "round in which each went away, and until it was back the load is that of the others",
        )
    ]


def worker_lost(name: str, workers: int, round_number: int) -> Note:
    """workers: how many took part. round_number: the round in which this one was lost, counted from 1."""
    return (
        WarningCode.WORKER_LOST,
        f"{name}, one of {count(workers, 'worker')}, was lost in round {round_number}; the results hold what the "
        "others measured, until then beside its load",
    )
