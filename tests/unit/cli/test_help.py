"""Help that teaches: headings, examples that work, and an answer to what people write for other tools."""

from __future__ import annotations

import shlex

import click
import pytest

from loadgen.cli.commands import cli, compare, probe, sweep, target
from loadgen.cli.examples import EXAMPLES
from loadgen.cli.habits import ANSWERS, COMMANDS
from loadgen.model.option import COMPARE, OptionGroup
from loadgen.model.options import OPTIONS
from loadgen.model.policy import PARTS, suggested
from tests.support.plans import URL, planned
from tests.support.runner import run_cli


def help_of(command: click.Command, width: int = 80) -> str:
    context = click.Context(command, info_name=command.name, terminal_width=width)
    return command.get_help(context)


def test_nothing_at_all_is_a_question_for_help() -> None:
    done, asked = run_cli(), run_cli("--help")
    assert (done.code, done.stderr, done.stdout) == (0, "", asked.stdout)
    assert "Examples:\n  loadgen compare\n" in done.stdout


@pytest.mark.parametrize("command", [compare, sweep, probe])
def test_options_stand_under_their_headings(command: click.Command) -> None:
    text = help_of(command)
    places = [text.index(f"\n{group.value}:\n") for group in OptionGroup if f"\n{group.value}:\n" in text]
    assert places == sorted(places)
    assert len(places) >= 4
    target = text[text.index("\nTarget:\n") : text.index("\nLoad:\n")]
    assert "--insecure" in target
    assert "--json" in text[text.index("\nOutput:\n") :]
    assert max(map(len, text.splitlines())) <= 80


def test_those_of_the_target_too() -> None:
    text = help_of(target)
    places = [text.index(f"\n{heading}:\n") for heading in ("Address", "TLS", "Responses", "Connections", "Replicas")]
    assert places == sorted(places)
    tls = text[text.index("\nTLS:\n") : text.index("\nResponses:\n")]
    assert all(flag in tls for flag in ("--client-ca", "--tls-version", "--tickets / --no-tickets", "--early-data"))
    assert "[default: 8080]" in text
    assert max(map(len, text.splitlines())) <= 80


def test_each_command_has_three_examples_and_they_are_valid() -> None:
    named = {""} | {name for name, one in cli.commands.items() if not one.hidden}
    assert named == set(EXAMPLES), "a command has its examples in loadgen/cli/examples.py"
    for name, examples in EXAMPLES.items():
        assert len(examples) == 3, name
        for line in examples:
            program, word, *arguments = shlex.split(line)
            assert (program, name or word) == ("loadgen", word)
            command = cli.commands[word]
            written = arguments[: arguments.index(">")] if ">" in arguments else arguments
            if word not in ("locust", "ui"):  # whose options are Locust's
                command.make_context(word, written)
            assert len(line) <= 78, "it fits on a line"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-k"], "-k is insecure in curl and keep-alive in ab; write --insecure or --policies persistent"),
        (["-t4", "-c50"], "-t is threads in wrk"),
        (["-d", "10s"], "write --duration 10s or --data"),
        (["--iterations", "1000"], "--iterations: write --requests N, which measures exactly N of each policy"),
        (["--number", "1000"], "--number: write --requests N, which"),
        (["-n", "10k"], "'10k' is not a valid integer; write 10000"),
        (["-R", "1.5k"], "'1.5k' is not a valid float; write 1500"),
        (["-R", "100/s"], "'100/s' is not a valid float; write 100"),
        (["-n", "1e6"], "'1e6' is not a valid integer; write 1000000"),
        (["-disable-keepalive"], "-disable-keepalive: write --policies close"),
        (["--concurrency=50"], "--concurrency: write --users N"),
        (["--linger", "0"], "--linger: write --policies close+tcp-linger:0"),
        (["--tlsv1.3"], "--tlsv1.3: write --tls-version 1.3"),
        (["--socks5", "h:1080"], "--socks5: write -x socks5://HOST:PORT"),
        (["--polices", "close"], "Did you mean"),
        (["--policies", "non_persistent"], "did you mean 'close'?"),
        (["--policies", "recycle:10 + gap:2s; close"], "several policies; write recycle:10+gap:2s,close"),
    ],
)
def test_habits_from_other_tools_are_answered_in_one_line(arguments: list[str], words: str) -> None:
    done = run_cli(COMPARE, URL, *arguments)
    assert (done.code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert words in done.stderr


def test_habits_that_mean_one_thing_are_taken() -> None:
    arguments = ["-c", "50", "-z", "10s", "-u", "Aladdin:open sesame", "-x", "http://127.0.0.1:3128", "-H", "A: b"]
    plan = planned(compare, URL, *arguments)
    assert (plan.load.users, plan.load.rounds * plan.load.block_ns * 2, plan.proxy.port) == (50, 10_000_000_000, 3128)  # type: ignore[union-attr] # it is given
    # RFC 7617 §2
    assert plan.headers == (("A", "b"), ("Authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="))
    assert "QWxh" not in str(plan.to_json(secrets=False))
    assert planned(compare, URL, "-R", "250").load.rate_rps == 250
    done = run_cli(COMPARE, URL, "-u", "a-secret")
    assert (done.code, "a-secret" in done.stderr, "like user:password" in done.stderr) == (2, False, True)


def test_a_url_in_the_place_of_a_command_is_answered() -> None:
    done = run_cli("http://127.0.0.1:8080/")
    assert (done.code, done.stderr) == (2, "loadgen: which command? write: loadgen compare http://127.0.0.1:8080/\n")


def test_a_flag_in_the_place_of_a_command_is_answered_and_no_secret_repeated() -> None:
    done = run_cli("-n", "1000", "-u", "me:a-secret", "http://127.0.0.1:8080/")
    assert (done.code, done.stderr) == (2, "loadgen: which command? write: loadgen compare -n ...\n")


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("run", "loadgen compare URL"),
        ("doctor", "loadgen probe URL"),
        ("help", "loadgen --help, or loadgen COMMAND --help"),
    ],
)
def test_another_tools_command_is_answered(word: str, line: str) -> None:
    done = run_cli(word, "--vus", "10")
    assert (done.code, done.stderr) == (2, f"loadgen: there is no command {word}; write: {line}\n")


@pytest.mark.parametrize(
    ("arguments", "answered"),
    [
        (["-V"], "-V: write loadgen --version"),
        (["compare", "--version"], "--version: write loadgen --version"),
        (["diff", "results/one"], "OLD... is missing; write: loadgen diff OLD... NEW"),
        (["completion"], "[bash|zsh|fish] is missing; write: loadgen completion [bash|zsh|fish]"),
        (["worker"], "No such command 'worker'."),  # and not that there is one called _worker
        (["report", "results/one", "--no-charts"], "--no-charts is for compare, sweep, diff, history"),
        (["compare", "--close-after", "5"], "--close-after is for target"),
        (["comapre"], "No such command 'comapre'. Did you mean 'compare'?"),
    ],
)
def test_what_is_missing_or_unknown_is_said_in_one_line(arguments: list[str], answered: str) -> None:
    done = run_cli(*arguments)
    assert (done.code, done.stderr) == (2, f"loadgen: {answered}\n")


def test_no_answer_is_for_a_command_that_there_is() -> None:
    assert COMMANDS.keys().isdisjoint(cli.commands)
    words = {line.split()[0] for line in COMMANDS.values()}
    assert {word for word in words if not word.startswith("-")} <= cli.commands.keys()


def test_no_answer_is_for_a_flag_that_compare_has() -> None:
    flags = {f"--{one.key}" for one in OPTIONS if COMPARE in one.commands and not one.positional} | {
        one.short for one in OPTIONS
    }
    assert flags.isdisjoint(ANSWERS)


@pytest.mark.parametrize(
    ("word", "part"),
    [
        ("keepalive", "persistent"), ("keep-alive", "persistent"), ("Keep_Alive", "persistent"),
        ("reuse", "persistent"), ("non_persistent", "close"), ("no-reuse", "close"), ("HTTP/1.0", "http10"),
        ("http2", "h2"), ("ws", "websocket"),
        ("max-age", "lifetime:T"), ("Ignore_Close", "ignore-close"), ("recicle", "recycle"), ("xyz", ""),
    ],
)  # fmt: skip
def test_suggestions_are_by_meaning_first(word: str, part: str) -> None:
    assert suggested(word) == part


def test_a_synonym_means_one_part_and_is_none() -> None:
    synonyms = [word for part in PARTS.values() for word in part.synonyms]
    assert len(synonyms) == len(set(synonyms))
    assert set(synonyms).isdisjoint(PARTS)
    assert all(word.isalnum() and word == word.lower() for word in synonyms)
