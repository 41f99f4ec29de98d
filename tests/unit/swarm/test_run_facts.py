"""What run.json says of a run while it goes on: each warning once, one of a kind where it replaces the last."""

from __future__ import annotations

from loadgen.swarm import run_facts
from loadgen.swarm.run_facts import RunFacts


def messages_of(facts: RunFacts) -> list[tuple[str, str]]:
    return [(note["code"], note["message"]) for note in facts.values["notes"]]


def test_a_warning_is_there_once_and_may_replace_the_last_of_its_kind() -> None:
    facts = RunFacts("r")
    for message in ("one", "one", "two"):
        facts.note("a", message)
    facts.note("b", "first")
    facts.note("b", "second", replaces=True)
    assert messages_of(facts) == [("a", "one"), ("a", "two"), ("b", "second")]
    facts.withdraw("a")
    assert messages_of(facts) == [("b", "second")]


def test_the_first_observation_counts_and_a_notice_may_warn() -> None:
    facts = RunFacts("r")
    facts.take({"observed": {"server": "nginx"}})
    facts.take({"observed": {"server": "other"}})
    facts.take({"warning": {"code": "c", "message": "m"}})
    assert facts.values["environment"]["target"] == {"server": "nginx"}
    for server in ("h2o", "other"):
        facts.take({"origin": "http://b/", "observed": {"server": server}})
    assert facts.values["environment"]["origins"] == {"http://b/": {"server": "h2o"}}
    assert facts.values["environment"]["target"] == {"server": "nginx"}
    facts.take({"origin": "http://c/", "warning": {"code": "d", "message": "of c"}})
    assert messages_of(facts) == [("c", "m"), ("d", "of c")]


def test_what_workers_say_is_bounded() -> None:
    facts = RunFacts("r")
    for number in range(run_facts._MAX_NOTES + 5):
        facts.note("c", f"{number} " + "x" * 10_000)
    assert len(facts.values["notes"]) == run_facts._MAX_NOTES
    assert len(messages_of(facts)[0][1]) == run_facts._MAX_MESSAGE
