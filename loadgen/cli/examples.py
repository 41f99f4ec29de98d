"""Three examples of each command, for its help: what one writes, and what that does."""

from __future__ import annotations

from collections.abc import Mapping

EXAMPLES: Mapping[str, Mapping[str, str]] = {
    "": {
        "loadgen compare": "A first run, against a server that loadgen starts itself.",
        "loadgen compare http://127.0.0.1:8080/": "What connection reuse saves at your server.",
        "loadgen probe http://127.0.0.1:8080/": "What your server does with connections.",
    },
    "compare": {
        "loadgen compare https://127.0.0.1:8443/ --insecure": "What connection reuse saves, with a load that fits.",
        "loadgen compare http://127.0.0.1:8080/ -c 50 -z 30s": "The same with 50 users for 30 seconds.",
        "loadgen compare http://127.0.0.1:8080/ http://127.0.0.1:8081/": "Two targets in turns: old build and new.",
    },
    "sweep": {
        "loadgen sweep http://127.0.0.1:8080/ --recycle 1,2,5,10,100,inf": (
            "How many requests a connection needs to have paid for itself."
        ),
        "loadgen sweep http://127.0.0.1:8080/ --users 1,10,100": ("Whether the saving depends on the number of users."),
        "loadgen sweep --resume results/night": "Go on with a sweep that was interrupted.",
    },
    "probe": {
        "loadgen probe http://127.0.0.1:8080/": "Everything, within two minutes.",
        "loadgen probe https://127.0.0.1:8443/ --insecure --only tls,idle": "Two groups of probes.",
        "loadgen probe http://127.0.0.1:8080/ --strict --quiet": "For a script: exit code 1 where a rule is broken.",
    },
    "report": {
        "loadgen report results/night": "Rebuild summary, charts and page of a run.",
        "loadgen report results/night --json": "The summary on standard output.",
        "loadgen report results/night --quiet": "Rebuild the files and show nothing.",
    },
    "diff": {
        "loadgen diff results/old results/new": "What changed, beyond noise.",
        "loadgen diff results/monday results/tuesday results/new": "Against several earlier runs.",
        "loadgen diff results/old results/new --html diff.html": "The same as a page with charts.",
    },
    "history": {
        "loadgen history results": "The headline of each run in a folder, over time.",
        "loadgen history results --json": "The same for a program.",
        "loadgen history results --no-charts": "The table alone.",
    },
    "target": {
        "loadgen target": "Serve http://127.0.0.1:8080/ until Ctrl-C.",
        "loadgen target --tls --ca-file ca.pem": "The same over TLS; the file is for --cacert of other commands.",
        "loadgen target --idle-timeout 3s --close-after 100": "A server that limits connections.",
    },
    "calibrate": {
        "loadgen calibrate": "Measure this machine once; later runs use it.",
        "loadgen calibrate --quick": "The same in a third of the time.",
        "loadgen calibrate --json": "The calibration on standard output.",
    },
    "policies": {
        "loadgen policies": "All parts of policies, a line each.",
        "loadgen policies recycle": "One part, with its picture.",
        "loadgen policies recycle:3+gap:2s": "A policy made of several parts.",
    },
    "completion": {
        "loadgen completion bash > ~/.loadgen-completion": "For bash; ~/.bashrc then has: . ~/.loadgen-completion",
        "loadgen completion zsh > ~/.zfunc/_loadgen": "For zsh, where ~/.zfunc is in fpath.",
        "loadgen completion fish > ~/.config/fish/completions/loadgen.fish": "For fish.",
    },
    "locust": {
        "loadgen locust --list": "The locustfiles that come with loadgen.",
        "loadgen locust compare --headless -u 20 -t 1m": "A comparison without web UI.",
        "loadgen locust compare -h": "Locust's options and those of loadgen's users.",
    },
    "ui": {
        "loadgen ui": "The web UI at http://127.0.0.1:8089, with the embedded target.",
        "loadgen ui --host http://127.0.0.1:8080": "For your server.",
        "loadgen ui scenario": "With another locustfile; a path of your own does too.",
    },
}
"""Command -> line -> what it does; under the empty name those of `loadgen` itself."""
