"""A plan as the keys and values of a plan file, and the file written. Credentials are never written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from loadgen.cli.option_types import duration_text
from loadgen.model.exceptions import PlanError
from loadgen.model.plan import HIDDEN, Plan


def plan_keys(plan: Plan, embedded: bool) -> dict[str, Any]:
    """What a plan file says for this plan; with the embedded target what belongs to that process alone is left out."""
    load, axes = plan.load, plan.axes
    keys: dict[str, Any] = {} if embedded else {"url": str(plan.target)}
    if plan.policies:
        keys["policies"] = [policy.name for policy in plan.policies]
    keys["users"] = list(axes.users) or load.users
    if load.rate_rps or axes.rate:
        keys["rate"] = [_number(rate) for rate in axes.rate] or _number(load.rate_rps)
        keys |= {"arrivals": load.arrivals, "max-connections": load.max_connections}
    if plan.processes != 1:
        keys["processes"] = plan.processes
    keys |= {
        "recycle": [int(text) if text == _canonical(text) else text for text in axes.recycle],
        "gap": list(axes.gap),
        "size": list(axes.size),
    }
    keys |= {"rounds": load.rounds, "block": duration_text(load.block_ns), "warmup": duration_text(load.warmup_ns)}
    keys |= {"think": duration_text(load.think_ns), "timeout": duration_text(load.timeout_ns), "method": plan.method}
    keys["headers"] = [f"{name}: {value}" for name, value in plan.headers]
    keys |= _body(plan.body)
    if embedded:
        keys["tls"] = plan.target.is_tls
    else:
        keys |= {"cacert": plan.cacert, "server-pid": plan.server_pid}
    keys |= {"insecure": plan.insecure, "max-body": plan.max_body_bytes, "seed": plan.seed}
    keys |= {"retry-stale": plan.retry_stale, "cookies": plan.cookies, "trailers": plan.trailers}
    keys["proxy"] = plan.proxy and plan.proxy.url(secrets=False)
    keys |= {"source-ips": list(plan.source_ips)}
    return {key: value for key, value in keys.items() if value is not None and value != []}


def save_plan(path: Path, plan: Plan, embedded: bool) -> list[str]:
    """Write the plan as TOML; returns what held credentials, which were left out: header fields and --proxy.

    Raises PlanError.
    """
    import tomli_w

    shown = plan.to_json(secrets=False)["headers"]
    left_out = [name for name, value in shown if value == HIDDEN]
    told = [f"# left out, a credential; give it with -H: {name}\n" for name in left_out]
    keys = plan_keys(plan, embedded)
    if left_out:
        lines = [f"{name}: {value}" for name, value in shown if value != HIDDEN]
        keys = {key: value for key, value in keys.items() if key != "headers"} | ({"headers": lines} if lines else {})
    if plan.proxy is not None and plan.proxy.user is not None:
        left_out.append("--proxy")
        told.append(f"# left out, credentials; give them with --proxy http://USER:PASSWORD@{plan.proxy}\n")
        keys["proxy"] = plan.proxy.without_credentials().url(secrets=False)
    text = "".join(told) + tomli_w.dumps(keys)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise PlanError(f"--save-plan {path} exists; a plan is never overwritten, choose another name") from None
    except OSError as error:
        raise PlanError(f"--save-plan {path}: {error.strerror}") from None
    return left_out


def _number(value: float) -> float:
    return int(value) if value == int(value) else value


def _canonical(text: str) -> str:
    return str(int(text)) if text.isascii() and text.isdigit() else ""


def _body(body: bytes) -> dict[str, str]:
    """A body as text where it is one, and where a plan file would not take it for the name of a file."""
    if not body:
        return {}
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        text = "@"
    if not text.startswith("@"):
        return {"data": text}
    import base64

    return {"data-base64": base64.b64encode(body).decode("ascii")}
