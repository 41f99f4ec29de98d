"""Builds the compiled core: each module with a `.pxd` file of its name beside it becomes an extension module (Cython).

    python setup.py build_ext --inplace               beside the sources, as `make install` does
    python setup.py build_ext --sanitize ...          with AddressSanitizer

Without a C compiler, or with LOADGEN_PURE=1, nothing is compiled and loadgen runs as pure Python. It is never compiled
in part: loadgen/core.py says why, and reads the record that is written here. All else is in pyproject.toml.
"""

from __future__ import annotations

import hashlib
import os
import runpy
import shlex
import shutil
import sys
import sysconfig
import traceback
from pathlib import Path
from typing import Any, ClassVar

from setuptools import Distribution, Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError, ExecError, LinkError

ROOT = Path(__file__).parent
PACKAGE = ROOT / "loadgen"
CORE = runpy.run_path(str(PACKAGE / "core.py"))
# nonecheck: a field of None raises AttributeError, as in Python, and does not read what lies there.
DIRECTIVES = {"language_level": 3, "annotation_typing": False, "nonecheck": True}
GENERATED = Path("build/cython")  # C sources, the same for every CPython
AS_RELEASED = ["-O2", "-g0"]
SANITIZED = ["-O1", "-g1", "-fno-omit-frame-pointer", "-fsanitize=address"]


def compiled_modules() -> list[str]:
    """Paths, inside the package, of the modules that have a `.pxd` file."""
    return sorted(
        path.with_suffix(".py").relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.pxd")
        if path.with_suffix(".py").exists()
    )


def sources() -> list[str]:
    """Paths of everything that is compiled: those modules, and all declarations."""
    declarations = [path for path in PACKAGE.rglob("*") if path.suffix in CORE["DECLARATIONS"]]
    return sorted({*compiled_modules(), *(path.relative_to(PACKAGE).as_posix() for path in declarations)})


def obstacle() -> str | None:
    """Why nothing can be compiled here, and what to do about it; None where nothing stands in the way."""
    if CORE["pure_is_set"]():
        return "LOADGEN_PURE is set"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")[0]
    if shutil.which(compiler) is None:
        if shutil.which("cc") is None or "CC" in os.environ:
            return f"no C compiler ({compiler}) was found; install one (Debian, Ubuntu: apt install gcc libc6-dev)"
        os.environ["CC"] = "cc"  # an interpreter from elsewhere, built with a compiler that is not here
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        return f"CPython {version} has no headers here; install them (Debian, Ubuntu: apt install python{version}-dev)"
    try:
        import Cython  # noqa: F401 -- only whether it is there
    except ImportError:
        return "Cython is missing; install it (pip install Cython)"
    return None


def say_pure(reason: str) -> None:
    """The one line about it; .ci/compile.py and pip -v show it."""
    print(f"loadgen runs as pure Python: {reason}", flush=True)


class CoreDistribution(Distribution):
    """Where nothing can be compiled, this is a package of pure Python, and its wheel says so."""

    _said = False

    def has_ext_modules(self) -> bool:
        reason = obstacle()
        if reason and not self._said and {"bdist_wheel", "editable_wheel"} & set(self.commands):
            say_pure(reason)
            self._said = True
        return bool(self.ext_modules) and reason is None


class BuildCore(build_ext):
    """Compiles what has changed, on all processors; on failure removes what was compiled and says why in one line."""

    user_options: ClassVar[list[tuple[str, str | None, str]]] = [
        *build_ext.user_options,
        ("sanitize", None, "with AddressSanitizer, for the tests"),
    ]
    boolean_options: ClassVar[list[str]] = [*build_ext.boolean_options, "sanitize"]

    def initialize_options(self) -> None:
        super().initialize_options()
        self.sanitize = False

    def finalize_options(self) -> None:
        super().finalize_options()
        self.parallel = self.parallel or len(os.sched_getaffinity(0))
        for extension in self.extensions or ():
            extension.extra_compile_args = SANITIZED if self.sanitize else AS_RELEASED
            extension.extra_link_args = ["-fsanitize=address"] if self.sanitize else ["-s"]

    def run(self) -> None:
        # Digests of before: a source that is edited meanwhile has then changed since.
        record = "".join(f"{CORE['digest']((PACKAGE / path).read_bytes())} {path}\n" for path in sources())
        package = PACKAGE if self.inplace else Path(self.build_lib, PACKAGE.name)
        (package / CORE["RECORD"]).unlink(missing_ok=True)
        reason = obstacle() or self._failure()
        self._remove_modules(package, keep=set() if reason else set(compiled_modules()))
        if reason:
            say_pure(reason)
        elif self.extensions:
            (package / CORE["RECORD"]).write_text(f"# {fingerprint()}\n{record}", encoding="utf-8")

    def _failure(self) -> str | None:
        """Compile; what failed, in a few words, where something did. The whole of it has been printed."""
        try:
            self._translate()
            super().run()
        except (CompileError, ExecError, LinkError) as error:
            print(error)
            return f"the C compiler ({self.compiler.compiler_so[0]}) failed"
        except Exception as error:  # whatever Cython raises means pure Python too
            traceback.print_exc()
            return f"Cython failed ({str(error).strip().splitlines()[-1]})"
        return None

    def _translate(self) -> None:
        """Python to C, for those extensions that have changed, or something that they use."""
        from Cython import __version__ as version
        from Cython.Build import cythonize
        from Cython.Build.Dependencies import create_dependency_tree

        tree = create_dependency_tree(quiet=True)
        changed: list[tuple[Extension, Path, str]] = []
        for extension in self.extensions:
            [source] = extension.sources
            generated = GENERATED / Path(source).with_suffix(".c")
            extension.sources = [str(generated)]
            contents = [Path(path).read_bytes() for path in {__file__, *tree.all_dependencies(source)}]
            used = hashlib.sha256(b"".join([version.encode(), *sorted(contents)])).hexdigest()  # wherever they lie
            stamp = generated.with_suffix(".sha256")
            if not (generated.exists() and stamp.exists() and stamp.read_text() == used):
                changed.append((Extension(extension.name, [source]), stamp, used))
                stamp.unlink(missing_ok=True)
        if changed:
            cythonize(
                [extension for extension, _, _ in changed],
                force=True,
                quiet=True,
                nthreads=self.parallel,
                build_dir=str(GENERATED),
                emit_linenums=True,
                compiler_directives=DIRECTIVES,
            )
        for _, stamp, digest in changed:
            stamp.write_text(digest)

    @staticmethod
    def _remove_modules(package: Path, keep: set[str]) -> None:
        """Extension modules of this CPython that have no place in this build: the finder would load them."""
        for path in package.rglob(f"*{CORE['SUFFIX']}"):
            if path.relative_to(package).as_posix().replace(CORE["SUFFIX"], ".py") not in keep:
                path.unlink()


def fingerprint() -> str:
    """What besides the sources decides on what is built."""
    return f"setup.py {CORE['digest'](Path(__file__).read_bytes())}"


def extensions() -> list[Any]:
    """One for each module; its paths are relative to this folder, as setuptools wants them."""
    return [
        Extension(f"loadgen.{path.removesuffix('.py').replace('/', '.')}", [f"loadgen/{path}"], include_dirs=["."])
        for path in compiled_modules()
    ]


if __name__ == "__main__":  # processes that translate for us import this file once more
    os.chdir(ROOT)
    setup(ext_modules=extensions(), cmdclass={"build_ext": BuildCore}, distclass=CoreDistribution)
