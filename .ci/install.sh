#!/usr/bin/env bash
# Installs loadgen and its development tools into a fresh virtual environment, with the newest CPython that works.
#   .ci/install.sh FOLDER
# If none works, it shows pip's own reason for each.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$1
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Debian's python3 comes without ensurepip, so that a plain venv fails; its own pip can install into a venv without one.
install_with() {
  local python=$1 pip
  rm -rf "$venv"
  if "$python" -m venv "$venv" >"$log" 2>&1; then
    pip=("$venv/bin/python" -m pip)
  elif "$python" -m venv --without-pip "$venv" >"$log" 2>&1 && "$python" -m pip --version >/dev/null 2>&1; then
    pip=("$python" -m pip --python "$venv/bin/python")
  else
    echo "ERROR: it has neither ensurepip nor pip; on Debian and Ubuntu: apt install python3-venv" >>"$log"
    return 1
  fi
  # Compiled here, these would need a compiler and many minutes; without a wheel the next Python is the better choice.
  # Our own core is compiled by compile.py, which says what came of it, with the Cython of constraints.txt.
  LOADGEN_PURE=1 "${pip[@]}" install --only-binary numpy,gevent,matplotlib -c constraints.txt -e '.[dev]' >"$log" 2>&1
}

# pip's last error and what it says about the cause, without its general advice.
reason() {
  { sed -n '/^ERROR/,$p' "$log" | grep . || tail -n 3 "$log"; } |
    grep -Ev '^(To fix this|[0-9]+\. |ERROR: ResolutionImpossible|WARNING|\[notice\])' | head -n 8 || true
}

failures=()
while read -r version python; do
  echo "Installing into $venv with CPython $version ($python); this takes a minute or two."
  if install_with "$python"; then
    exit 0
  fi
  failures+=("CPython $version ($python):"$'\n'"$(reason | sed 's/^/  /')")
done < <(.ci/pythons.sh)

rm -rf "$venv"
if [ ${#failures[@]} = 0 ]; then
  echo "No CPython 3.11 or newer was found. Install one, or put it on PATH." >&2
else
  echo "The installation failed with every CPython found:" >&2
  printf '%s\n' "${failures[@]}" >&2
fi
exit 1
