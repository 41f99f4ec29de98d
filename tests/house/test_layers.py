"""The rooms' imports point one way, heavy libraries stay in their rooms, and importing the package changes nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "loadgen"
MODULES = sorted(PACKAGE.rglob("*.py"))

MAY_IMPORT = {
    "model": {"model"},
    "wire": {"wire", "model"},
    "drive": {"drive", "wire", "model"},
    "measure": {"measure", "model"},
    "show": {"show", "measure", "model"},
    "target": {"target", "wire", "model"},
    "probe": {"probe", "wire", "model"},
    "swarm": {"swarm", "drive", "measure", "show", "target", "wire", "model"},
    "cli": {"cli", "drive", "measure", "show", "target", "probe", "wire", "model"},
    "": {"cli"},
}
# Library -> the places (path prefixes inside the package) that may import it.
HOMES = {
    "gevent": ("wire/transport.py", "drive/", "target/", "swarm/", "cli/worker_main.py", "cli/target.py"),
    "numpy": ("measure/", "show/"),
    "matplotlib": ("show/charts/",),
    "locust": ("swarm/",),
    "OpenSSL": ("wire/tls.py", "target/certificates.py"),
    "httptools": ("wire/http1/head.py", "wire/http1/chunked.py"),
    "h2": ("wire/http2/protocol.py", "wire/http2/h2_adapter.py", "target/http2.py", "target/http2_rules.py"),
    "hpack": ("wire/http2/hpack_cache.py",),
    "hyperframe": ("wire/http2/protocol.py", "wire/http2/h2_adapter.py", "target/http2_rules.py"),
    "websockets": ("wire/websocket/protocol.py", "target/websocket.py"),
    "click": ("cli/",),
    "tomli_w": ("cli/",),
    "rich": ("cli/",),
}


def imports_of(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def room_of(path: Path) -> str:
    inside = path.relative_to(PACKAGE)
    return inside.parts[0] if len(inside.parts) > 1 else ""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path: Path) -> None:
    rooms = {name.split(".")[1] for name in imports_of(path) if name.startswith("loadgen.")}
    assert rooms <= MAY_IMPORT[room_of(path)]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_libraries_stay_at_home(path: Path) -> None:
    inside = path.relative_to(PACKAGE).as_posix()
    used = {name.split(".")[0] for name in imports_of(path)} & HOMES.keys()
    strangers = {library for library in used if not inside.startswith(HOMES[library])}
    # The entry point turns click's exceptions into exit codes.
    assert strangers <= ({"click"} if inside == "cli/__init__.py" else set())


def test_no_circle_among_modules() -> None:
    graph = {}
    for path in MODULES:
        name = ".".join(("loadgen", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
        graph[name] = {found for found in imports_of(path) if found.startswith("loadgen.")}
    done: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, " -> ".join((*above, name))
        if name not in done:
            for below in graph.get(name, ()):
                # A function-level import of the command line's is taken when the command runs, not at import.
                if not (name == "loadgen.cli" or name == "loadgen.cli.commands"):
                    visit(below, (*above, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def test_importing_changes_nothing() -> None:
    code = (
        "import loadgen, loadgen.drive.run_loop, loadgen.target.server, loadgen.measure.summary.run, gevent.monkey;"
        "assert not gevent.monkey.saved, gevent.monkey.saved"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=60)


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from loadgen.cli.commands import cli; import loadgen.cli.options;"
        "print({'numpy', 'matplotlib', 'gevent', 'rich', 'OpenSSL', 'locust'} & set(sys.modules))"
    )
    out = subprocess.run([sys.executable, "-c", code], check=True, timeout=60, capture_output=True, text=True).stdout
    assert out.strip() == "set()"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_is_a_small_room(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 350
    assert ast.get_docstring(ast.parse(text)), "a module opens with its duty"
