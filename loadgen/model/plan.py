"""A run as one value: what is sent, to whom, under which policies, for how long. Executes nothing."""

from __future__ import annotations

import base64
import re
from dataclasses import asdict, dataclass
from typing import Any

from loadgen.model.errors import PlanError
from loadgen.model.policy import ConnectionPolicy, parse_policies
from loadgen.model.target import Target, parse_target
from loadgen.model.units import NS_PER_MS, NS_PER_S, format_duration

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §5.6.2
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")  # RFC 9110 §5.5
_SECRET_FIELDS = {"authorization", "proxy-authorization", "cookie"}
# The policy owns Connection; the engine frames the body, so a length of the user's would be a second opinion.
_OWNED_FIELDS = {
    "connection": "the connection policy sets it",
    "keep-alive": "the connection policy sets it",
    "content-length": "it follows from --data",
    "transfer-encoding": "it follows from --data",
}


@dataclass(frozen=True, slots=True)
class Load:
    """The closed-loop load of each block, the same under every policy."""

    users: int = 50
    rounds: int = 5
    block_ns: int = 2 * NS_PER_S
    warmup_ns: int = 500 * NS_PER_MS
    think_ns: int = 0
    timeout_ns: int = 10 * NS_PER_S

    def __post_init__(self) -> None:
        if self.users < 1:
            raise PlanError(f"--users is {self.users}; at least 1 is needed")
        if self.rounds < 1:
            raise PlanError(f"--rounds is {self.rounds}; at least 1 is needed")
        if self.block_ns < 10 * NS_PER_MS:
            raise PlanError(f"--block is {format_duration(self.block_ns)}; at least 10 ms is needed")
        if not 0 <= self.warmup_ns < self.block_ns:
            raise PlanError(
                f"--warmup is {format_duration(self.warmup_ns)}, a part of each block of "
                f"{format_duration(self.block_ns)}; it must be shorter"
            )
        if self.timeout_ns < NS_PER_MS:
            raise PlanError(f"--timeout is {format_duration(self.timeout_ns)}; at least 1 ms is needed")


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a run depends on; equal plans with equal seeds run the same blocks in the same order."""

    target: Target
    policies: tuple[ConnectionPolicy, ...]
    load: Load = Load()
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    cacert: str | None = None
    insecure: bool = False
    max_body_bytes: int = 64 * 1024 * 1024
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise PlanError(f"the method {self.method!r} is unknown; use one of {', '.join(METHODS)}")
        for name, value in self.headers:
            check_header(name, value)
        for policy in self.policies:
            if policy.needs_tls and not self.target.is_tls:
                raise PlanError(
                    f"the policy {policy.name!r} resumes TLS sessions, and {self.target} has none; "
                    "use an https URL (or --tls with the embedded target)"
                )
        if self.max_body_bytes < 0 or self.seed < 0:
            raise PlanError("--max-body and --seed can't be negative")
        if self.cacert and self.insecure:
            raise PlanError("--cacert and --insecure contradict each other; give one of them")

    def to_json(self, *, secrets: bool) -> dict[str, Any]:
        """The plan as JSON values. Without `secrets`, values of credential fields are replaced by `***`."""
        headers = [
            [name, value if secrets or name.lower() not in _SECRET_FIELDS else "***"] for name, value in self.headers
        ]
        return {
            "url": str(self.target),
            "policies": [policy.name for policy in self.policies],
            **asdict(self.load),
            "method": self.method,
            "headers": headers,
            "body_base64": base64.b64encode(self.body).decode("ascii"),
            "cacert": self.cacert,
            "insecure": self.insecure,
            "max_body_bytes": self.max_body_bytes,
            "seed": self.seed,
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Plan:
        """The inverse of `to_json`. Raises PlanError or KeyError where the values are no plan."""
        return cls(
            target=parse_target(values["url"]),
            policies=parse_policies(",".join(values["policies"])),
            load=Load(**{name: values[name] for name in Load.__dataclass_fields__}),
            method=values["method"],
            headers=tuple((name, value) for name, value in values["headers"]),
            body=base64.b64decode(values["body_base64"]),
            cacert=values["cacert"],
            insecure=values["insecure"],
            max_body_bytes=values["max_body_bytes"],
            seed=values["seed"],
        )


def parse_header(line: str) -> tuple[str, str]:
    """Split `Name: value`. Raises PlanError where it is none or can't be sent."""
    name, colon, value = line.partition(":")
    if not colon:
        raise PlanError(f"the header {line!r} has no colon; write it like 'Name: value'")
    pair = name, value.strip(" \t")
    check_header(*pair)
    return pair


def check_header(name: str, value: str) -> None:
    """Raise PlanError unless the field can go on the wire as it stands (RFC 9110 §5.1, §5.5)."""
    if not _TOKEN.fullmatch(name):
        raise PlanError(f"the header name {name!r} is no token (RFC 9110 §5.6.2)")
    if _CONTROL.search(value):
        raise PlanError(f"the value of header {name!r} holds a control character, which could smuggle a second header")
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        raise PlanError(f"the value of header {name!r} has characters outside ISO 8859-1") from None
    reason = _OWNED_FIELDS.get(name.lower())
    if reason:
        raise PlanError(f"the header {name!r} can't be given: {reason}")
