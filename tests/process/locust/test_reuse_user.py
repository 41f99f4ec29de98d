"""Scenarios of ReuseUser inside real Locust processes: what they are given, what Locust counts, how they end."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from loadgen.model.errors import ErrorKind
from loadgen.model.records import Ending
from tests.support.locusts import running
from tests.support.processes import free_port, scripted_server
from tests.support.targets import Target

# At the end of a run Locust closes the files of --csv under its own writer, now and then in the middle of a turn.
_LOCUST_S_OWN = "ValueError: I/O operation on closed file."
LOCUSTFILE = Path(__file__).parents[2] / "support" / "scenario_locustfile.py"


class Echo:
    """A server that says what it was asked, in JSON; each request's path by connection is in `paths`.

    served: set once it was asked `enough` times.
    """

    def __init__(self, enough: int = 0) -> None:
        self.paths: list[list[str]] = []
        self.served = threading.Event()
        self._enough = enough

    def __call__(self, connection: socket.socket, _number: int) -> None:
        mine: list[str] = []
        self.paths.append(mine)
        buffer = b""
        while True:
            while b"\r\n\r\n" not in buffer:
                more = connection.recv(65536)
                if not more:
                    return
                buffer += more
            head, _, buffer = buffer.partition(b"\r\n\r\n")
            line, *lines = head.decode("latin-1").split("\r\n")
            fields = dict(one.split(": ", 1) for one in lines)
            length = int(fields.get("Content-Length", 0))
            while len(buffer) < length:
                buffer += connection.recv(65536)
            body, buffer = buffer[:length], buffer[length:]
            method, path, _ = line.split(" ")
            mine.append(path)
            if sum(map(len, self.paths)) == self._enough:
                self.served.set()
            if not self._answer(connection, method, path, fields, body):
                return

    def _answer(self, connection: socket.socket, method: str, path: str, fields: dict[str, str], body: bytes) -> bool:
        if path == "/silent":
            return True
        if path == "/cut":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n<script>")
            return False
        if path == "/garbage":
            connection.sendall(b"<script>alert(1)</script>\r\n\r\n")
            return False
        status = int(path.removeprefix("/status/")) if path.startswith("/status/") else 200
        said = json.dumps({"method": method, "path": path, "fields": fields, "body": body.decode("latin-1")}).encode()
        if status == 304 or method == "HEAD":
            said = b""
        closes = fields.get("Connection") == "close"
        reply = f"HTTP/1.1 {status} <script>\r\nContent-Type: application/json\r\nX-Two: 1\r\nx-two: 2\r\n"
        reply += f"Location: /elsewhere\r\nContent-Length: {len(said)}\r\n"
        reply += "Connection: close\r\n\r\n" if closes else "\r\n"
        connection.sendall(reply.encode() + said)
        return not closes


def locust(folder: Path, url: str, user: str, *arguments: str, until: threading.Event | None = None) -> dict[str, Any]:
    """Run a scenario until it ends by itself, or by a signal after `until`.

    What it reported, with Locust's output as `said` (standard error) and `printed`.
    """
    report = folder / "report.json"
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), user, "--headless", "-H", url),
            *("-u", "1", "-r", "100", "-t", "60s", "--only-summary", *arguments),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, "LOADGEN_TEST_REPORT": str(report)},
    )
    try:
        if until is not None:
            assert until.wait(60)
            process.send_signal(signal.SIGTERM)
        printed, said = process.communicate(timeout=90)
    finally:
        process.kill()
        process.wait()
    assert "Traceback" not in said or _LOCUST_S_OWN in said, said
    values: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    assert not values["wrong"], values["wrong"][0]
    return values | {"said": said, "printed": printed, "code": process.returncode}


@contextmanager
def echo(enough: int = 0) -> Iterator[tuple[Echo, str]]:
    server = Echo(enough)
    with scripted_server(server) as port:
        yield server, f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def methods(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    with echo() as (_, url):
        return locust(tmp_path_factory.mktemp("methods"), f"{url}/base", "Methods") | {"url": url}


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    with echo() as (_, url):
        return locust(tmp_path_factory.mktemp("judged"), url, "Judged")


# What a client is asked and gives


@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "patch", "options"])
def test_every_method_arrives_as_itself_below_the_path_of_the_host(methods: dict[str, Any], method: str) -> None:
    found = methods["found"][method]
    said = json.loads(found["text"])
    assert (said["method"], said["path"]) == (method.upper(), f"/base/{method}")
    assert found["status"] == [200, 200]
    assert found["ok"] is True
    assert found["error"] is None
    assert found["url"] == f"{methods['url']}/base/{method}"


def test_a_response_to_head_has_fields_and_no_body(methods: dict[str, Any]) -> None:
    found = methods["found"]["head"]
    assert found["text"] == ""
    assert found["headers"]["Content-Type"] == "application/json"


def test_fields_of_the_same_name_are_joined(methods: dict[str, Any]) -> None:
    assert methods["found"]["get"]["headers"]["X-Two"] == "1, 2"


@pytest.mark.parametrize(
    ("case", "body", "kind"),
    [
        ("form", "a=1+2&b=x&b=%C3%BC", "application/x-www-form-urlencoded"),
        ("pairs", "a=1&a=2", "application/x-www-form-urlencoded"),
        ("text", "grüße".encode().decode("latin-1"), "text/plain"),
        ("bytes", "\x00\x01", None),
        ("json", '{"\\u00fc": [1, null]}', "application/json"),
        ("typed", "0", None),
        ("empty", "", None),
    ],
)
def test_a_body_of_each_kind_arrives(methods: dict[str, Any], case: str, body: str, kind: str | None) -> None:
    said = methods["found"][case]
    assert said["body"] == body
    assert said["fields"].get("Content-Type") == kind
    assert said["fields"]["Content-Length"] == str(len(body))
    assert said["fields"].get("content-type") == ("application/x" if case == "typed" else None)


@pytest.mark.parametrize(
    ("case", "path"),
    [
        ("params", "/base/p?x=1&y=a+b&z=1&z=2"),
        ("params_text", "/base/p?q=1"),
        ("whole_url", "/base/whole?x=1"),
        ("no_path", "/base/"),
        ("query_only", "/base/?a=1"),
    ],
)
def test_paths_and_parameters_arrive(methods: dict[str, Any], case: str, path: str) -> None:
    assert methods["found"][case]["path"] == path


def test_a_journey_over_one_connection_is_recorded_as_one(methods: dict[str, Any]) -> None:
    assert [row["request_index"] for row in methods["exchanges"]] == list(range(len(methods["events"])))
    assert [row["ending"] for row in methods["connections"]] == [Ending.CLIENT_SILENT]
    assert methods["found"]["get"]["reused"] is False
    assert methods["found"]["post"]["reused"] is True


def test_the_event_says_what_locust_people_expect(methods: dict[str, Any]) -> None:
    first = methods["events"][0]
    phases, answered = first["context"]["phases"], methods["found"]["get"]
    assert (first["request_type"], first["name"], first["url"]) == ("GET", "/base/get", f"{methods['url']}/base/get")
    assert first["response_length"] == len(answered["text"])
    assert first["exception"] is None
    assert first["context"] == {"journey": 7, "phases": answered["phases"], "reused": False, "policy": "persistent"}
    assert first["response_time"] == sum(value or 0 for value in phases.values()) / 1e6
    assert answered["elapsed_us"] == pytest.approx(first["response_time"] * 1000, abs=1)
    assert abs(first["start_time"] - time.time()) < 3600
    renamed = next(event for event in methods["events"] if event["name"] == "renamed")
    assert renamed["request_type"] == "GET"
    assert renamed["context"]["step"] == 1
    assert renamed["context"]["reused"] is True


def test_each_event_has_the_latency_of_its_row(methods: dict[str, Any]) -> None:
    assert len(methods["events"]) == len(methods["exchanges"])
    for event, row in zip(methods["events"][1:], methods["exchanges"][1:], strict=True):
        assert event["response_time"] == (row["send"] + row["wait"] + row["receive"]) / 1e6
        assert event["response_time"] != int(event["response_time"])


# Failures


def test_a_status_from_400_on_is_a_failure_and_raises_nothing(judged: dict[str, Any]) -> None:
    found = judged["found"]
    assert (found["404"]["ok"], found["404"]["status"], found["404"]["error"]) == (False, [404, 404], None)
    assert found["304"]["ok"] is True
    assert found["redirect"]["status"] == [302, 302]
    assert found["redirect"]["headers"]["Location"] == "/elsewhere"
    assert found["raise_404"] == "BadStatus: 404"
    assert found["raise_200"] == "nothing"
    failures = {event["name"]: event["exception"] for event in judged["events"] if event["exception"]}
    assert failures["/status/404"] == "404"
    assert "/status/304" not in failures
    assert "/status/302" not in failures


def test_redirects_are_exchanges_and_requests_of_their_own_if_wanted(judged: dict[str, Any]) -> None:
    names = [event["name"] for event in judged["events"]]
    begin = names.index("/elsewhere")
    alone, first, second, chain = judged["events"][begin - 2 : begin + 2]
    assert [event["name"] for event in (alone, first, second, chain)] == [
        *("/status/302", "/status/302", "/elsewhere", "chain"),
    ]
    assert [event["status"] for event in (alone, first, second, chain)] == [302, 302, 200, 200]
    assert [event["context"]["reused"] for event in (first, second)] == [True, True]
    assert first["url"].endswith("/status/302")
    assert second["url"].endswith("/elsewhere")
    (before,) = chain["context"]["redirects"]
    assert (before["status"], before["reused"]) == (303, True)
    times = [before["phases"], chain["context"]["phases"]]
    assert chain["response_time"] == pytest.approx(sum(ns or 0 for one in times for ns in one.values()) / 1e6)
    assert judged["found"]["each"]["url"] == second["url"]


def test_a_with_block_judges_its_response(judged: dict[str, Any]) -> None:
    events = {event["name"]: event["exception"] for event in judged["events"]}
    assert events["forgiven"] is None
    assert events["blamed"] == "CatchResponseError('not what was wanted')"
    assert events["blamed by exception"] == "ValueError('own')"
    assert events["unjudged"] == "500"
    assert events["raises"] == "ResponseError('of the block')"
    assert events["changed"] is None
    assert not {"breaks", "never", "meta"} & events.keys()
    found = judged["found"]
    assert found["through"] == 'KeyError: "not the response\'s fault"'
    assert found["raise_forgiven"] == "nothing"
    assert found["raise_blamed"] == "CatchResponseError: not what was wanted"
    assert found["no_catch"].startswith("LocustError: ")
    assert found["not_entered"].startswith("LocustError: ")


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("connection", "the connection policy sets it"),
        ("no_slash", "slash"),
        ("number", "must be text"),
    ],
)
def test_what_cannot_be_sent_is_a_value_error_in_one_line(judged: dict[str, Any], case: str, message: str) -> None:
    text = judged["found"][case]
    assert text.startswith(("ValueError: ", "PlanError: "))
    assert message in text
    assert "\n" not in text


def test_errors_are_counted_by_kind_and_hold_nothing_that_the_target_sent(tmp_path: Path) -> None:
    with echo() as (_, url):
        values = locust(tmp_path, url, "Broken")
    found = values["found"]
    kinds = ["truncated", "truncated", "response_timeout", "not_http", None]
    assert [found[name]["error"] for name in ("cut", "silent", "garbage", "after")] == [*kinds[1:]]
    assert [found[name]["status"] for name in ("cut", "silent", "garbage")] == [[0, 0]] * 3
    assert found["cut"]["text"] == ""
    assert found["raise_cut"] == "Unanswered: truncated"
    assert [event["exception"] for event in values["events"]] == kinds
    assert values["events"][2]["response_time"] > 2000
    assert "script" not in values["said"]
    assert "GET /silent: response_timeout" in values["said"]
    assert values["code"] == 1


# Policies and counts


def test_a_class_has_the_connection_policy_that_it_names(tmp_path: Path) -> None:
    with echo() as (server, url):
        values = locust(tmp_path, url, "Recycling")
    assert values["found"]["reused"] == [False, True, True, False, True, True, False]
    assert [len(paths) for paths in server.paths] == [3, 3, 1]
    assert {event["context"]["policy"] for event in values["events"]} == {"recycle:3"}


@pytest.mark.parametrize("user", ["Fast", "Closing"])
def test_locust_and_rows_count_what_the_target_counts(start_target: Any, tmp_path: Path, user: str) -> None:
    target: Target = start_target()
    values = locust(tmp_path, target.url, user, "-u", "20", "--json", "-t", "4s")
    account = target.stats()
    unfinished = sum(row["outcome"] == -ErrorKind.UNFINISHED for row in values["exchanges"])
    assert unfinished <= 20
    (stats,) = json.loads(values["printed"])
    assert stats["num_failures"] == 0
    assert stats["num_requests"] == len(values["events"]) == len(values["exchanges"]) - unfinished
    assert len(values["events"]) <= account["requests"] <= len(values["exchanges"])
    assert account["open"] == 0
    assert len(values["connections"]) == account["accepted"]
    assert len(values["connections"]) == (20 if user == "Fast" else len(values["exchanges"]))


# Begin and end


def test_a_journey_begins_and_ends_as_its_author_says(tmp_path: Path) -> None:
    with echo(enough=100) as (server, url):
        values = locust(tmp_path, url, "Journey", "-u", "3", until=server.served)
    assert values["marks"] == ["start"] * 3 + ["stop"] * 3
    # A user that was killed in mid-request says goodbye on a new connection.
    journeys = [paths for paths in server.paths if paths != ["/logout"]]
    cut = [paths for paths in journeys if paths[-1] != "/logout"]
    assert len(journeys) == 3
    assert len(server.paths) == 3 + len(cut)
    for paths in journeys:
        steps = [path for path in paths if path in ("/first", "/inner")]
        assert paths[0] == "/login"
        assert len(steps) > 10
        assert steps == (["/first", "/inner"] * len(steps))[: len(steps)]
    endings = Counter(row["ending"] for row in values["connections"])
    assert endings == Counter({Ending.CLIENT_SILENT: 3, Ending.CLIENT_GAVE_UP: len(cut)})
    assert {row["user"] for row in values["exchanges"]} == {0, 1, 2}


def test_a_user_that_is_stopped_in_mid_request_leaves_one_unfinished_row(tmp_path: Path) -> None:
    with echo(enough=2) as (server, url):
        values = locust(tmp_path, url, "Stuck", "-u", "2", until=server.served)
    assert [row["outcome"] for row in values["exchanges"]] == [-ErrorKind.UNFINISHED] * 2
    assert [row["ending"] for row in values["connections"]] == [Ending.CLIENT_GAVE_UP] * 2
    assert values["marks"] == ["stop", "stop"]
    assert values["events"] == []


def test_users_that_end_by_themselves_make_room_for_others(tmp_path: Path) -> None:
    with echo(enough=4) as (server, url):
        values = locust(tmp_path, url, "Brief", "-u", "8", "-r", "2", until=server.served)
    slots = [row["slot"] for row in values["connections"]]
    assert len(slots) == len(values["exchanges"]) == len(server.paths)
    assert len(slots) == len(set(slots)), "each user needs a connection of its own"
    assert {row["ending"] for row in values["connections"]} == {Ending.CLIENT_SILENT}


# Digits


FIXED_MS = (0.123, 0.235, 0.5, 1.23, 12.3, 123, 1230)


def test_locust_s_tables_and_files_keep_digits_below_a_millisecond(tmp_path: Path) -> None:
    arguments = ["--csv", "run", "--csv-full-history", "--html", "run.html"]
    values = locust(tmp_path, "http://127.0.0.1:9", "Fixed", *arguments, "-t", "6s")
    row = re.search(r"^GET +/fixed .*\|(.*)\|", values["said"], re.MULTILINE)
    assert row is not None
    average, least, most, median = row[1].split()
    assert (least, most, median) == ("0.123", "1230", "1.23")
    assert 190 < float(average) < 200
    table = values["said"].split("Response time percentiles")[1]
    assert table.splitlines()[3].split()[:5] == ["GET", "/fixed", "1.23", "12.3", "123"]
    with (tmp_path / "run_stats.csv").open(encoding="utf-8") as file:
        figures = next(line for line in csv.DictReader(file) if line["Name"] == "/fixed")
    assert (figures["50%"], figures["66%"], figures["75%"]) == ("1.23", "12.3", "123")
    assert (figures["Median Response Time"], figures["Min Response Time"]) == ("1.23", "0.1234")
    with (tmp_path / "run_stats_history.csv").open(encoding="utf-8") as file:
        assert any(line["50%"] == "1.23" for line in csv.DictReader(file))
    page = (tmp_path / "run.html").read_text(encoding="utf-8")
    assert '"min_response_time": 0.123' in page
    assert '"0.5": 1.23' in page


def test_digits_survive_the_way_from_workers_to_the_master(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "Fixed", "--headless", "--json"),
            *("-H", "http://127.0.0.1:9", "-u", "4", "-r", "100", "-t", "3s", "--only-summary", "--processes", "2"),
            *("--master-bind-port", str(port := free_port()), "--master-port", str(port)),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=tmp_path,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    # Workers print a list of their own, an empty one: all that they had is with the master.
    (stats,) = json.loads(done.stdout[done.stdout.index("[\n") :])
    times = {float(key): count for key, count in stats["response_times"].items()}
    assert times.keys() == set(FIXED_MS)
    # Equal keys of both workers became one: every time was fired as often.
    assert len(set(times.values())) == 1
    assert stats["min_response_time"] == 0.1234


def test_the_web_ui_is_given_digits(tmp_path: Path) -> None:
    port = free_port()
    command = [
        *(sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "Fixed", "-H", "http://127.0.0.1:9"),
        *("--autostart", "-u", "1", "-t", "60s", "--web-host", "127.0.0.1", "--web-port", str(port)),
    ]
    with running(tmp_path, *command):
        figures = None
        end = time.monotonic() + 30
        while figures is None and time.monotonic() < end:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/stats/requests", timeout=5) as response:
                    answer = json.load(response)
                figures = next((one for one in answer["stats"] if one["name"] == "/fixed"), None)
            except OSError:
                pass
            if figures is None:
                threading.Event().wait(0.05)
    assert figures is not None
    assert figures["min_response_time"] == 0.123
    assert figures["median_response_time"] == 1.23
    assert figures["max_response_time"] == 1230
