"""The forms of workers' messages: what a worker sends fits, and nothing that does not fit reaches who uses it."""

from __future__ import annotations

import copy
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

import loadgen.swarm.messages as messages
from loadgen.measure.live.block_report import BlockReport, check_report
from loadgen.model.typed_json import misfit
from loadgen.swarm.messaging import MessageChannel, Role
from tests.support.fake_swarm import FakeRunner
from tests.support.hostile_texts import TERMINAL
from tests.support.swarm_messages import POLICIES, sent, sent_report

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 1 << 70) | st.floats() | st.text(max_size=5) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize("kind", messages.FORMS)
def test_what_a_worker_sends_fits(kind: str) -> None:
    message = sent()[kind]
    over_the_network = msgpack.loads(msgpack.dumps(message), strict_map_key=False)
    assert misfit(over_the_network, messages.FORMS[kind]) == ""
    assert misfit(over_the_network | {"more": 1}, messages.FORMS[kind]) != ""


def places(value: Any) -> list[tuple[Any, Any]]:
    """Each container with each of its keys."""
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [place for key in keys for place in [(value, key), *places(value[key])]]


@given(st.sampled_from(sorted(messages.FORMS)), st.data())
def test_any_change_is_taken_or_refused_and_never_an_error(kind: str, data: st.DataObject) -> None:
    message = copy.deepcopy(sent()[kind])
    container, key = data.draw(st.sampled_from(places(message)))
    if data.draw(st.booleans()):
        del container[key]
    else:
        container[key] = data.draw(VALUES)
    if misfit(message, messages.FORMS[kind]) == "":
        for one in message.get("reports", ()):
            refuses(one)


def refuses(one: Any) -> bool:
    try:
        check_report(one, POLICIES)
    except ValueError:
        return True
    return False


def bad_histogram(found: BlockReport) -> None:
    found["histograms"]["latency"]["counts"][0] += 1


def bad_bin(found: BlockReport) -> None:
    found["histograms"]["latency"]["bins"][0] = 1 << 40


def bad_type(found: BlockReport) -> None:
    found["share"]["send"]["type"] = "|O"


def bad_length(found: BlockReport) -> None:
    found["share"]["send"]["data"] = b""


def bad_rest(found: BlockReport) -> None:
    found["share"]["scheduled"]["data"] += b"x"


def bad_policy(found: BlockReport) -> None:
    column = found["share"]["policy"]
    column["data"] = b"\x07" * len(column["data"])


@pytest.mark.parametrize("harm", [bad_histogram, bad_bin, bad_type, bad_length, bad_rest, bad_policy])
def test_a_report_that_does_not_add_up_is_refused(harm: Any) -> None:
    found = sent_report()
    assert not refuses(found)
    harm(found)
    assert refuses(found)


@pytest.mark.parametrize("data", [None, "text", [], {}, {"run": 1}, {b"run": "r"}], ids=repr)
def test_a_bad_message_is_said_and_reaches_nobody(data: Any, caplog: pytest.LogCaptureFixture) -> None:
    runner = FakeRunner({"a": "ready"})
    channel = MessageChannel(runner, Role.MASTER)
    heard: list[Any] = []
    channel.listen(messages.BLOCK_DONE, lambda *message: heard.append(message))
    runner.receive(messages.BLOCK_DONE, "a", data)
    assert heard == []
    assert "worker 0 (a) sent a message that is none of its kind (loadgen_block_done: it " in caplog.text
    said: list[Any] = []
    channel.on_misfit = lambda *message: said.append(message)
    runner.receive(messages.BLOCK_DONE, "a", data)
    ((kind, sender, wrong),) = said
    assert (kind, sender, wrong[:3]) == (messages.BLOCK_DONE, "a", "it ")


def test_a_worker_s_name_is_inert() -> None:
    name = MessageChannel(FakeRunner({TERMINAL: "ready"}), Role.MASTER).worker_name(TERMINAL)
    assert not {"\x1b", "\x9b", "\r"} & set(name)
