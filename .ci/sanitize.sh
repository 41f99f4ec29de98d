#!/usr/bin/env bash
# Compiles the core with AddressSanitizer, in a folder of its own, and runs the unit tests of parsers and connections.
#   .ci/sanitize.sh VENV [PYTEST ARGUMENT ...]
# A read or write past the end of a buffer, or of freed memory, ends the run with a report that names the line.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$1/bin/python
shift
folder=build/sanitized
library=$(${CC:-cc} -print-file-name=libasan.so)
[ -f "$library" ] || { echo "make sanitize needs gcc and its libasan (Debian, Ubuntu: apt install gcc)" >&2; exit 1; }

mkdir -p build
"$python" setup.py -q build_py --build-lib "$folder/lib" \
  build_ext --sanitize --build-lib "$folder/lib" --build-temp "$folder/temp" >"$folder.log" 2>&1 ||
  { cat "$folder.log" >&2; exit 1; }

# Each object of Python is allocated by itself, so that its ends are watched. Python itself leaks at its end.
# -P and -p: the tests meet this build, not the checkout that they lie in.
# pytest would hide what is written to standard error, hence the files.
export PYTHONPATH=$folder/lib PYTHONMALLOC=malloc
export ASAN_OPTIONS=detect_leaks=0:abort_on_error=1:log_path=$PWD/$folder.report
rm -f "$folder".report.*
# libstdc++ too, or exceptions in C++ (greenlet's) end the run.
preload="$library $(${CC:-cc} -print-file-name=libstdc++.so)"
LD_PRELOAD=$preload "$python" -P -c '
import loadgen.core, sys
compiled = loadgen.core.running() == "compiled"
sys.exit(None if compiled else "nothing was compiled; '"$folder.log"' says why")'
if ! LD_PRELOAD=$preload "$python" -P -m pytest -p loadgen.core -p no:cacheprovider --hypothesis-profile ci \
  --max-worker-restart 0 "$@" tests/unit/wire; then
  cat "$folder".report.* >&2 2>/dev/null || true
  exit 1
fi
