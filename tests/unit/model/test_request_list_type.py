from __future__ import annotations

from pathlib import Path

import pytest

from loadgen.cli.target_names import with_first_url
from loadgen.model.planned_request import PlannedRequest
from loadgen.model.request_list_type import RequestList

LINES = '{"url": "/a", "name": "a"}\n'


def test_a_file_is_seen_from_the_plans_folder_and_lines_are_themselves() -> None:
    assert RequestList().from_folder("urls", Path("/plans")) == "/plans/urls"
    assert RequestList().from_folder(LINES, Path("/plans")) == LINES


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('{"url":"/a"}', '{"url":"/a"}'),
        ('{"url": "http://me:pa55@h/?token=1"}', '{"url": "http://***@h/?token=***"}'),
        ('{"url": "/", "body_base64": "cGFzc3dvcmQ9eA=="}', '{"url": "/", "body_base64": "cGFzc3dvcmQ9Kioq"}'),
        ('{"url": "/", "body": "@password=x"}', '{"url": "/", "body": "@password=x"}'),  # the name of a file
        ('{"url": "/", "body_base64": "?"}', "***"),
        ('{"url": "/", "headers": ', "***"),
        ('{"url": "/"}\n\n# token=1', '{"url": "/"}\n\n***'),
        ("token=1.jsonl", "token=1.jsonl"),
    ],
)
def test_lines_are_shown_without_credentials(line: str, shown: str) -> None:
    assert RequestList().redact(line) == shown


def test_what_a_plan_file_says_is_read_again() -> None:
    made = RequestList().make(LINES)
    assert made == (PlannedRequest("a", "/a"),)
    assert RequestList().make(str(RequestList().write(made))) == made
    assert (RequestList().make(""), RequestList().write(())) == ((), None)


def test_the_target_is_the_origin_of_the_first_url_that_has_one() -> None:
    urls = LINES + '{"url": "http://h:81/b"}'
    assert with_first_url({"url": None, "urls": urls})["url"] == "http://h:81"
    assert with_first_url({"url": "http://i/", "urls": urls})["url"] == "http://i/"
    assert with_first_url({"url": None, "urls": LINES})["url"] is None
