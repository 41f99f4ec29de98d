#!/usr/bin/env bash
# Lists the CPythons of this machine that loadgen could run on, the newest first: one "VERSION PATH" a line.
# Looks on PATH and in the folders of version managers. Leaves out prereleases and free-threaded builds: packages
# rarely publish wheels for them.
set -euo pipefail
shopt -s nullglob

IFS=: read -ra folders <<< "${PATH:-}"
if [ -n "${HOME:-}" ]; then
  folders+=("$HOME"/.pyenv/versions/*/bin "$HOME"/.local/share/uv/python/*/bin
    "$HOME"/.local/share/mise/installs/python/*/bin "$HOME"/.asdf/installs/python/*/bin)
fi

# The resolved path, so that a link and a virtual environment count as the Python behind them.
probe='
import os, ssl, sys, sysconfig, venv
version = sys.version_info
if version < (3, 11) or sys.implementation.name != "cpython" or version.releaselevel != "final":
    sys.exit(1)
if sysconfig.get_config_var("Py_GIL_DISABLED"):
    sys.exit(1)
print("%d.%d.%d" % version[:3], os.path.realpath(sys.executable))
'

for folder in "${folders[@]}"; do
  for python in "$folder"/python3 "$folder"/python3.1[1-9] "$folder"/python3.[2-9][0-9]; do
    [ ! -x "$python" ] || "$python" -c "$probe" 2>/dev/null || true
  done
done | sort -srV -k1,1 | awk '!seen[$2]++'
