"""Packages that loadgen comes without: whether one is installed, and which extra of loadgen brings it."""

from __future__ import annotations

import importlib.util

from loadgen.model.exceptions import PlanError


def check_package(option: str, package: str, extra: str, module: str = "") -> None:
    """Raise PlanError, with one line that names the option, where the package is missing.

    module: what it is imported as, where that is another name.
    """
    if importlib.util.find_spec(module or package.replace("-", "_")) is None:
        raise PlanError(f"{option} needs {package}, which is not installed: pip install 'loadgen[{extra}]'")
