"""`loadgen locust` and `loadgen ui`: Locust with one of the locustfiles that come with loadgen, or with one's own.

They lie in the package, so that an installation has them too. This process becomes Locust's: what Locust prints, how
it ends and which signals it heeds is its own. Knows no more of Locust than its command line.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

import loadgen
from loadgen.model.option import COMPARE, LOCUSTS_OWN
from loadgen.model.options import options_of

LOCUSTFILES = Path(loadgen.__file__).parent / "locustfiles"
_NOT_IN_LOCUST = {
    f"--{option.key}": option.not_in_locust
    for option in options_of(COMPARE)
    if option.not_in_locust not in ("", LOCUSTS_OWN)
}
"""Options of `loadgen compare` that Locust has no place for, with what to write instead."""
BECOME_LOCUST = """\
import sys
sys.argv[0] = "locust"
try:
    from locust.main import main
    main()
except KeyboardInterrupt:
    sys.exit(130)
"""
"""What `-m locust` does, with a name for Locust's messages, and an end without a traceback while it is loading."""


def list_locustfiles() -> int:
    """Print each locustfile's name and the first line of its docstring."""
    titles = {path.stem: _title(path) for path in sorted(LOCUSTFILES.glob("*.py"))}
    width = max(map(len, titles))
    for name, title in titles.items():
        click.echo(f"{name:<{width}}  {title}")
    return 0


def _title(path: Path) -> str:
    documentation = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return documentation.partition("\n")[0]


def run_locustfile(name: str | None, arguments: Sequence[str]) -> NoReturn:
    """Become Locust, with the locustfile called `name`, or with a file of one's own. Raises click.UsageError."""
    for flag in (argument.partition("=")[0] for argument in arguments):
        if flag in _NOT_IN_LOCUST:
            raise click.UsageError(f"{flag} is for loadgen compare; {_NOT_IN_LOCUST[flag]}")
    path = _locustfile(name)
    # -P: a module in the current folder must not be taken for one of Locust's.
    os.execv(sys.executable, [sys.executable, "-P", "-c", BECOME_LOCUST, "-f", str(path), *arguments])  # noqa: S606 # no shell is wanted


def start_web_ui(arguments: Sequence[str]) -> NoReturn:
    """Become Locust's web UI, for this machine alone unless an option says otherwise.

    arguments: Locust's options, after the name of a locustfile unless it is `compare`.
    """
    name = "compare"
    if arguments and not arguments[0].startswith("-"):
        name, *arguments = arguments
    _locustfile(name)  # refuses it before anything is said
    host, address = _web_address(arguments)
    if address:
        click.echo(f"Locust's web UI: {address} (Ctrl-C ends it)")
        sys.stdout.flush()  # what is still in the buffer would not survive the exec
    run_locustfile(name, ["--web-host", host, *arguments])


def _web_address(arguments: Sequence[str]) -> tuple[str, str]:
    """Where the page will be; without an address if Locust is going to refuse the options."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--web-host", default=os.environ.get("LOCUST_WEB_HOST", "127.0.0.1"))
    parser.add_argument("--web-port", "-P", default=os.environ.get("LOCUST_WEB_PORT", "8089"))
    parser.add_argument("--tls-cert")
    try:
        known, _ = parser.parse_known_args(arguments)
    except argparse.ArgumentError:
        return "127.0.0.1", ""
    everywhere = known.web_host in ("", "*", "0.0.0.0", "::")  # noqa: S104 # compared, not listened on
    host = "127.0.0.1" if everywhere else known.web_host
    scheme = "https" if known.tls_cert else "http"
    return known.web_host, f"{scheme}://{f'[{host}]' if ':' in host else host}:{known.web_port}/"


def _locustfile(name: str | None) -> Path:
    paths = {path.stem: path for path in LOCUSTFILES.glob("*.py")}
    choice = f"choose from {', '.join(sorted(paths))}"
    if name is None:
        raise click.UsageError(f"which locustfile? {choice}")
    path = paths.get(name.removesuffix(".py"))
    if path is None and name.endswith(".py") and Path(name).is_file():
        return Path(name).resolve()
    if path is None:
        near = difflib.get_close_matches(name, paths, n=1)
        raise click.UsageError(f"no locustfile is called {name!r}: {f'did you mean {near[0]!r}?' if near else choice}")
    return path
