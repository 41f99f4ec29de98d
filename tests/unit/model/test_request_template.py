from __future__ import annotations

import pytest

from loadgen.model.exceptions import PlanError
from loadgen.model.request_template import Template, check_names, literal, random_range


@pytest.mark.parametrize(
    ("text", "names", "filled"),
    [
        ("", (), ""),
        ("/a", (), "/a"),
        ("{n}", ("n",), "<n>"),
        ("/{a}/{random:1-2}{a}?", ("a", "random:1-2", "a"), "/<a>/<random:1-2><a>?"),
        ('{"a": {n}, "b": {"c": 1}}', ("n",), '{"a": <n>, "b": {"c": 1}}'),
        ("{{n}} { n } {} {1}", (), "{n} { n } {} {1}"),
    ],
)
def test_what_is_filled(text: str, names: tuple[str, ...], filled: str) -> None:
    template = Template(text)
    assert template.names == names
    assert template.fill(lambda name: f"<{name}>") == filled
    assert Template(literal(text)).fill(lambda _name: "wrong") == text


def test_names_that_are_known() -> None:
    check_names(("n", "user", "uuid", "random:1-2", "column"), ("column",))
    assert random_range("random:0-18") == (0, 18)
    for name in ("N", "column", "random", "random:", "random:2-1", "random:a-b"):
        with pytest.raises(PlanError):
            check_names((name,), ())
