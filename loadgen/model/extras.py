"""Packages that loadgen comes without: whether one is installed, and which extra of loadgen brings it."""

from __future__ import annotations

import importlib.util

from loadgen.model.exceptions import PlanError


def check_package(option: str, package: str, extra: str) -> None:
    """Raise PlanError, with one line that names the option, where the package is missing."""
    if importlib.util.find_spec(package.replace("-", "_")) is None:
        raise PlanError(f"{option} needs {package}, which is not installed: pip install 'loadgen[{extra}]'")
