"""Imports point one way, between rooms and inside them; libraries stay at home; importing the package changes nothing.

Each test holds one rule for the whole package and names all that break it.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.support.sources import has_docstring, imports_of

PACKAGE = Path(__file__).parents[2] / "loadgen"
MODULES = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}
MAX_LINES = 350
TABLES = {"model/warning_codes.py"}
"""Modules that hold one table and no function: they have as many lines as rows need."""

MAY_IMPORT = {
    "model": {"model"},
    "wire": {"wire", "model"},
    "drive": {"drive", "wire", "model"},
    "measure": {"measure", "model"},
    "show": {"show", "measure", "model"},
    "target": {"target", "wire", "model"},
    "probe": {"probe", "drive", "wire", "model"},
    "swarm": {"swarm", "drive", "measure", "show", "target", "probe", "wire", "model"},
    "cli": {"cli", "drive", "measure", "show", "target", "probe", "wire", "model"},
    "": {"cli", "model"},
}
# Inside a room: its layers, lowest first, as beginnings of paths; the longest that fits counts. A module may import
# from its own layer and those below.
LAYERS = {
    "model": [
        (
            "units",
            "authority",
            "endpoint",
            "bounds",
            "generator_limits",
            "characters",
            "descriptors",
            "redaction",
            "exceptions",
            "extras",
            "files",
            "typed_json",
            "input_files",
            "tls_value_types",
            "json_types",
            "number_shorthand",
            "value_types",
            "file_value_types",
            "records",
            "request_target",
            "request_method",
            "request_choice",
            "planned_request",
            "request_template",
            "csv_values",
            "address_spread",
            "address_marks",
            "sample_sink",
            "errors",
            "retries",
            "warning_row",
            "warning_codes",
            "calibration",
            "gate_summary",
            "audit",
            "server_settings",
        ),
        (
            "check_summary",
            "plan_record",
            "run_record",
            "pilot_record",
            "diff_record",
            "history_record",
            "connections_summary",
            "balance_summary",
            "named_request_summary",
            "origin_summary",
            "sockets_summary",
            "latency_slice",
            "policy_summary",
            "sweep_summary",
            "summary",
            "block_facts",
            "trailers",
            "leniency",
            "unasked_bytes",
            "continue_counts",
        ),
        ("gate/",),
        ("policy/protocols", "policy/socket_option", "policy/policy"),
        ("policy/part",),
        ("policy/parts/",),
        ("policy/",),
        ("target", "named_target", "proxy.py", "no_proxy", "headers", "request_body", "arrivals", "cell"),
        ("template_check",),
        ("request_list", "request_conditions", "origins"),
        ("request_list_type",),
        (
            "option",
            "address_options",
            "address_value_types",
            "body_options",
            "body_file",
            "export_options",
            "gate_options",
            "length_options",
            "output_options",
            "probe_options",
            "proxy_options",
            "proxy_value_types",
            "target_options",
            "template_options",
            "csv_value_type",
            "tls_options",
            "plan_value_types",
        ),
        (
            *(
                "addressing",
                "load",
                "tls_settings",
                "proxying",
                "plan",
                "unused_options",
                "plan_fields",
                "route_plan",
                "split",
            ),
            "body_transfer",
            "templating",
            "client_identity",
            "origin_plans",
        ),
    ],
    "wire": [
        (
            "lifecycle",
            "syscalls",
            "listener",
            "clock",
            "timerfd",
            "timers",
            "wall_clock",
            "kernel_times",
            "openssl",
            "client_certificates",
            "key_log",
            "tls_context",
            "http1/malformed",
            "http1/other_protocols",
            "http1/lenient_lines",
            "http1/head",
            "http1/chunked",
            "http1/final_head",
            "http1/unasked",
            "http1/request_",
            "http1/interim",
            "http1/upload.py",
            "http1/chunked_content",
            "http1/response_",
        ),
        ("poller", "transport", "resolver", "dns_resolver", "tls", "tls_facts", "errors"),
        ("early_data", "early_reading", "replay_guard", "tls_contexts", "address_race"),
        ("proxy/",),
        ("route", "connection", "duplex_connection"),
        ("http1/", "http2/", "websocket/"),
    ],
    "drive": [
        (
            *(
                "block_balance",
                "connection_kinds",
                "connection_numbers",
                "schedule",
                "waiting",
                "window",
                "requests/",
                "system/",
            ),
            "open_loop/due_times",
        ),
        ("slots/", "open_loop/", "preflight"),
        ("clients/", "connection_manager", "engine", "requests/greenlet_client"),
        ("origins/", "engines"),
        ("block", "run_loop", "target_check", "origin_checks", "pilot/"),
    ],
    "measure": [
        ("labels", "data/"),
        ("stats/",),
        ("warnings/",),
        ("checks/",),
        ("summary/",),
        ("diff/measured_run", "diff/likeness"),
        ("diff/machine_control",),
        ("diff/compared_statistics", "diff/diff_verdict"),
        ("diff/",),
        ("live/",),
    ],
    "show": [
        (
            "formatting",
            "ordering",
            "pilot_text",
            "policy_picture",
            "text_histogram",
            "sparkline",
            "sweep_series",
            "sweep_grid",
            "position_lines",
        ),
        ("balances",),
        ("tables/", "charts/"),
        ("export/",),
        ("audit/",),
    ],
    "probe": [
        ("failures", "finding", "announcement", "audit_plan", "trace", "proportion", "medians", "evenness"),
        ("probe_stream", "side_by_side"),
        ("session", "tunnelling"),
        ("probe.py", "hop_by_hop", "after_response", "frame_link"),
        ("forwarding_proxy",),
        ("before_load",),
        tuple(
            f"{group}/"
            for group in (
                *("versions", "persistence", "closing", "idle", "limits", "messages", "options", "tls", "http2"),
                *("websocket", "tcp", "addresses", "chain"),
            )
        ),
        ("registry", "audit.py", "audit_gates", "progress"),
    ],
    "target": [
        ("behaviour", "server_tls", "certificates", "null_server"),
        ("account", "requests", "responses", "http2_rules", "header_reading"),
        ("header_first",),
        ("connection",),
        ("http2", "websocket"),
        ("http1",),
        ("server", "process"),
        ("replicas", "name_server"),
    ],
    "swarm": [
        (
            "messages",
            "round_times",
            "concurrent_calls",
            "locust_states",
            "locust_patches",
            "locust_stats",
            "live_page",
            "web_assets",
        ),
        (*("option_texts", "absences", "machine_clock", "hand_over", "worker_clocks", "start_times"), "block_start"),
        ("scenario_request", "request_failures", "response_", "session_cookies"),
        ("redirects", "redirect_chain", "origin_", "client_options", "host_credentials"),
        ("user_classes", "options", "target_host", "response.py", "gather", "reuse_websocket", "client"),
        (
            "messaging",
            "coordinator",
            "class_runner",
            "sample_sender",
            "run_folder",
            "run_notes",
            "run_exports",
            "run_facts",
            "form_fields",
        ),
        ("load_users",),
        ("run.py", "worker_agent", "swarm_user", "reuse_user"),
        ("live_view", "start_form", "target_audit", "worker_messages"),
        ("run_controller", "web_pages"),
        ("plugin", "web.py", "locust_events"),
    ],
    "cli": [
        (
            "signals",
            "stdio",
            "consent",
            "console",
            "audit_table",
            "audit_console",
            "credentials",
            "gate_lines",
            "machine",
            "dry_run",
            "exports",
            "live_blocks",
            "screen/",
            "metrics_server",
            "run_notes",
            "run_length",
            "run_rollup",
            "size_forecast",
            "run_validation",
            "packet_capture",
            "diff_console",
            "examples",
            "habits",
            "completion",
            "fitted_table",
            "target_names",
            "policy_result",
        ),
        (
            "option_types",
            "help",
            "server_options",
            "policies",
            "plan_writer",
            "plan_reader",
            "plan_builder",
            "audit_options",
            "options",
        ),
        ("live_output",),
        ("diff",),
        ("baseline", "history"),
        ("worker_main", "worker_pool", "target", "null_target", "locust", "report", "run_audit"),
        ("experiment", "pilot", "probe"),
        ("run_setup", "sweep", "api", "calibration_runs"),
        ("calibrate",),
        ("commands",),
    ],
}
# Library -> the places (beginnings of paths inside the package) that may import it.
HOMES = {
    "pytest": ("pytest.py",),
    "gevent": (
        "wire/poller.py",
        "wire/resolver.py",
        "wire/dns_resolver.py",
        "wire/kernel_times.py",
        "wire/transport.py",
        "wire/proxy/secure.py",
        "drive/",
        "probe/",
        "target/",
        "swarm/",
        "cli/worker_main.py",
        "cli/target.py",
    ),
    "numpy": ("measure/", "show/"),
    "matplotlib": ("show/charts/", "show/audit/timeline.py"),
    # Locust patches the standard library of the process that imports it, so most of swarm does without.
    "locust": (
        *(
            "swarm/locust_",
            "swarm/swarm_user.py",
            "swarm/reuse_user.py",
            "swarm/client.py",
            "swarm/client_session.py",
            "swarm/reuse_websocket.py",
            "swarm/response.py",
        ),
        "swarm/options.py",  # the type of its parser alone
    ),
    # They come with Locust, and what a scenario's request means is what they make of it.
    "requests": ("swarm/",),
    "urllib3": ("swarm/response_body.py",),
    "OpenSSL": (
        "wire/openssl.py",
        "wire/tls.py",
        "wire/tls_context.py",
        "wire/early_reading.py",
        "wire/proxy/tls_in_tls.py",
        "target/certificates.py",
    ),
    "cryptography": ("wire/openssl.py", "wire/client_certificates.py", "probe/tls/"),
    "httptools": ("wire/http1/head.py",),
    "h2": ("wire/http2/protocol.py", "wire/http2/h2_", "target/http2"),
    "dns": ("wire/dns_resolver.py", "target/name_server.py"),
    "hpack": ("wire/http2/hpack_cache.py", "wire/http2/h2_base.py", "wire/http2/h2_frame_client.py"),
    "hyperframe": ("wire/http2/protocol.py", "wire/http2/h2_", "target/http2_rules.py"),
    "websockets": ("wire/websocket/protocol.py", "target/websocket.py"),
    "click": ("cli/",),
    "tomli_w": ("cli/",),
    "rich": ("cli/",),
    "pyarrow": ("show/export/parquet.py",),
    "prometheus_client": ("cli/metrics_server.py",),
}


def own_imports(path: Path) -> Iterator[str]:
    """The package's modules that a file imports, as paths inside the package."""
    for name in sorted(imports_of(path)):
        inside = name.removeprefix("loadgen.").replace(".", "/")
        if name.startswith("loadgen."):
            yield from (one for one in (f"{inside}.py", f"{inside}/__init__.py") if one in MODULES)


def room_of(module: str) -> str:
    return module.split("/")[0] if "/" in module else ""


def layer_of(room: str, module: str) -> int:
    """The index of the layer whose path fits best; -1 where none does."""
    inside = module.removeprefix(f"{room}/")
    fits = [
        (len(start), index) for index, layer in enumerate(LAYERS[room]) for start in layer if inside.startswith(start)
    ]
    return max(fits)[1] if fits else -1


def test_rooms_import_one_way() -> None:
    wrong = [
        f"{module} imports {other}"
        for module, path in MODULES.items()
        for other in own_imports(path)
        if room_of(other) not in MAY_IMPORT[room_of(module)] | {""}
    ]
    assert wrong == []


def test_layers_inside_a_room_import_downwards() -> None:
    inside = [module for module in MODULES if room_of(module) in LAYERS and not module.endswith("/__init__.py")]
    homeless = [module for module in inside if layer_of(room_of(module), module) < 0]
    assert homeless == [], "give it a layer in LAYERS"
    wrong = [
        f"{module} imports {other}"
        for module in inside
        for other in own_imports(MODULES[module])
        if (room := room_of(module)) == room_of(other) and layer_of(room, other) > layer_of(room, module)
    ]
    assert not wrong


def test_no_circle_among_modules() -> None:
    done: set[str] = set()

    def visit(module: str, above: tuple[str, ...]) -> None:
        assert module not in above, " -> ".join((*above, module))
        # A function-level import of the command line's is taken when the command runs, not at import.
        if module not in done and module not in ("cli/__init__.py", "cli/commands.py"):
            for below in own_imports(MODULES[module]):
                visit(below, (*above, module))
        done.add(module)

    for module in MODULES:
        visit(module, ())


def test_libraries_stay_at_home() -> None:
    wrong = [
        f"{module} imports {library}"
        for module, path in MODULES.items()
        for library in {name.split(".")[0] for name in imports_of(path)} & HOMES.keys()
        if not module.startswith(HOMES[library])
    ]
    assert wrong == []


def test_a_module_is_small_and_opens_with_its_duty() -> None:
    lengths = {module: len(path.read_text(encoding="utf-8").splitlines()) for module, path in MODULES.items()}
    assert [module for module, length in lengths.items() if length > MAX_LINES and module not in TABLES] == []
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    trees = [ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))) for module in TABLES]
    assert not [node for tree in trees for node in tree if isinstance(node, functions)]
    assert [module for module, path in MODULES.items() if not has_docstring(path)] == []


def run(code: str) -> str:
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, check=True, timeout=60, capture_output=True, text=True).stdout.strip()


def test_importing_changes_nothing() -> None:
    run(
        "import loadgen, loadgen.drive.run_loop, loadgen.target.server, loadgen.measure.summary.run, gevent.monkey;"
        "assert not gevent.monkey.saved, gevent.monkey.saved"
    )


def test_importing_is_quick() -> None:
    """In CPU time, which other programs on the machine do not lengthen; the first run may have to compile."""
    code = "import time; begun = time.process_time(); import loadgen; print(time.process_time() - begun)"
    assert min(float(run(code)) for _ in range(3)) < 0.1


def test_help_imports_nothing_heavy() -> None:
    heavy = "{'numpy', 'matplotlib', 'gevent', 'rich', 'OpenSSL', 'locust', 'click.shell_completion'}"
    code = f"import sys, loadgen.cli.commands, loadgen.cli.options; print({heavy} & set(sys.modules))"
    assert run(code) == "set()"


def test_a_recorder_needs_no_numpy() -> None:
    """Every worker process has one, and numpy would double the worker's memory."""
    assert run("import sys, loadgen.measure.data.recorder; print('numpy' in sys.modules)") == "False"


def test_a_worker_loads_no_libraries_that_few_plans_need() -> None:
    """They take a third of its start; a run's first connections load what its policies speak."""
    rare = "{'click', 'h2', 'websockets', 'numpy', 'rich', 'trustme'}"
    assert run(f"import sys, loadgen.cli.worker_main; print({rare} & set(sys.modules))") == "set()"


def test_a_target_in_clear_makes_no_certificates() -> None:
    assert run("import sys, loadgen.cli.target; print('trustme' in sys.modules)") == "False"


def test_a_worker_makes_no_types_of_json() -> None:
    """They are for type checkers, and making them takes 20 ms of every start."""
    types = {f"loadgen.model.{name}" for name in ("plan_record", "run_record", "block_facts", "summary")}
    assert run(f"import sys, loadgen.cli.worker_main; print({types} & set(sys.modules))") == "set()"
