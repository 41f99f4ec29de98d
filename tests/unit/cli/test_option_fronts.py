"""Each option about TLS and proxies says the same wherever it is said: two commands, the doctor, plan files, Locust."""

from __future__ import annotations

from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest

from loadgen.cli.audit_options import build_audit_plan
from loadgen.cli.commands import compare, probe, sweep
from loadgen.cli.plan_writer import save_plan
from loadgen.model.option import Option
from loadgen.model.plan import Plan
from loadgen.model.proxy_options import PROXY_OPTIONS
from loadgen.model.tls_options import TLS_OPTIONS
from loadgen.model.value_types import Flag
from loadgen.swarm.options import plan_of
from tests.support.client_certificates import PASSPHRASE, write_pem
from tests.support.fake_swarm import locust_options
from tests.support.plans import options_of, planned

URL = "https://127.0.0.1:8443/"
VALUES = {
    "cert": "alice.pem", "key": "alice.key", "key_passphrase": "file:secret.txt", "tls_version": "1.3",
    "ciphers": "TLS_AES_128_GCM_SHA256", "groups": "P-256:X25519", "alpn": "http/1.1", "sni": "example.org",
    "proxy": "https://127.0.0.1:3128", "proxy_cacert": "alice.pem", "proxy_cert": "alice.pem",
    "proxy_key": "alice.key", "proxy_key_passphrase": "file:secret.txt", "no_proxy": "10.0.0.0/8",
    "proxy_protocol": "2",
}  # fmt: skip
# What an option can't be without.
BESIDE = {
    "cert": ("key",), "key": ("cert",), "key_passphrase": ("cert", "key"), "proxy_cacert": ("proxy",),
    "proxy_insecure": ("proxy",), "proxy_cert": ("proxy", "proxy_key"), "proxy_key": ("proxy", "proxy_cert"),
    "proxy_key_passphrase": ("proxy", "proxy_cert", "proxy_key"), "no_proxy": ("proxy",),
}  # fmt: skip
ROWS = {option.name: option for option in (*TLS_OPTIONS, *PROXY_OPTIONS)}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fronts")
    write_pem(folder, "alice")
    (folder / "secret.txt").write_text(PASSPHRASE, encoding="utf-8")
    return folder


def said(option: Option) -> dict[str, Any]:
    """The option and those beside it: texts as a user writes them; of a flag what it is not by itself."""
    rows = [ROWS[name] for name in (option.name, *BESIDE.get(option.name, ()))]
    return {row.name: not row.default if isinstance(row.type, Flag) else VALUES[row.name] for row in rows}


def arguments(values: dict[str, Any]) -> list[str]:
    found = []
    for name, value in values.items():
        flag = ROWS[name].key
        if isinstance(value, bool):
            found.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            found += [f"--{flag}", value]
    return found


@pytest.mark.parametrize("option", ROWS.values(), ids=lambda one: one.name)
def test_every_front_makes_the_same_of_it(option: Option, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(files)
    values = said(option)
    words = arguments(values)
    read = attrgetter(option.plan_field)
    plan = planned(compare, URL, *words)
    wanted = read(plan)
    assert wanted != read(planned(compare, URL))
    assert read(build_audit_plan(options_of(probe, URL, *words))) == wanted
    file = files / f"{option.name}.toml"
    save_plan(file, plan, embedded=False)
    assert read(planned(compare, "--plan", str(file))) == wanted
    assert read(Plan.from_json(plan.to_json(secrets=True))) == wanted
    texts = {name: (value,) if ROWS[name].type.is_repeated else value for name, value in values.items()}
    assert read(plan_of(locust_options(**texts), URL, {"User": ("close",)}, users=1)) == wanted
    assert read(planned(sweep, URL, "--recycle", "1,2", *words)) == wanted
