"""The picture of a policy's connections follows its rules, whatever parts it has."""

from __future__ import annotations

import pytest

from loadgen.model.policy import PARTS, parse_policy
from loadgen.show.policy_picture import LEGEND, legend, picture


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("persistent", ["==a.a.a.a.a.a>"]),
        ("close", ["==a|", "    ==a|", "        ==a|"]),
        ("close-resume", ["==a|", "    =a|", "       =a|"]),
        ("abandon+resolve", ["?==a!", "     ?==a!", "          ?==a!"]),
        ("recycle:3+gap:2s", ["==a.....a.....a|", "                ==a.....a.....a|"]),
        ("recycle:30", ["==a.a.~.a|", "          ==a.a.~.a|"]),
        ("lifetime:1s", ["==a.a.a!", "        ==a.a.a!"]),
        ("max-idle:1s", ["==a.a.a.....!", "             ==a.a.a.....!"]),
        ("pool:2", ["==a.c.b.a.c.b>", "==b.a.c.b.a.c>"]),
        ("h2+coalesce", ["==[abc][abc]>"]),
        ("h2+streams:10", ["==[aaa][aaa]>"]),
        ("websocket-close", ["==^a|", "     ==^a|", "          ==^a|"]),
        ("ignore-close", ["==a.a.a.a.ax.a>"]),
    ],
)
def test_a_picture_follows_the_rules(name: str, lines: list[str]) -> None:
    assert picture(parse_policy(name)) == lines


def test_every_part_has_a_picture_whose_signs_are_explained() -> None:
    for word, part in PARTS.items():
        lines = picture(parse_policy(part.example or word))
        assert lines, word
        assert set("".join(lines)) <= {*LEGEND, *" bc]"}, word
        assert legend(lines)[0].startswith(("=", "?"))
