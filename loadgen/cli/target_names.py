"""Several URLs as the options that say so: the first as `url`, all of them with their names as `target`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loadgen.model.named_target import lettered, split_name
from loadgen.model.request_list import read_requests


def named_urls(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of options in which `url` may hold several; there it holds one, or is None. Raises PlanError.

    URLs without a name are A, B ...; those of `target` come behind them.
    """
    urls, named = values.get("url"), tuple(values.get("target") or ())
    if not isinstance(urls, tuple | list):
        return dict(values)
    others = {name: value for name, value in values.items() if name not in ("url", "target")}
    if len(urls) > 1 or (urls and named):
        return others | {"url": None, "target": lettered(urls) + named}
    one = {"url": urls[0] if urls else None} if urls or "url" in values else {}
    return others | one | ({"target": named} if "target" in values else {})


def with_first_url(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same with the first target's URL as `url`: that of a run's first target, and a sign that there is one.

    Where there is none, it is the origin of the first of several requests that has one. Raises PlanError.
    """
    named = values.get("target")
    if named:
        return {**values, "url": split_name(named[0])[1]}
    if values.get("urls") and not values.get("url"):
        origin = next((one.origin for one in read_requests(values["urls"]) if one.origin), None)
        return {**values, "url": origin}
    return dict(values)
