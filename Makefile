# Each target sets up what it needs. ARGS goes to the command: make compare ARGS="--users 10 URL"
SHELL := /bin/bash
VENV := .venv
LOADGEN := $(VENV)/bin/loadgen
INSTALLED := $(VENV)/.installed
# One user shows the bare cost: nothing queues, in the generator or the target, and nothing but reuse is measured.
ARGS ?= --tls --users 1

.PHONY: install compare ui test check format bench clean

install: $(INSTALLED)

# The newest CPython from 3.11 on with which everything installs.
$(INSTALLED): pyproject.toml constraints.txt
	@for python in $$(ls -d $${HOME}/.pyenv/versions/3.*/bin/python3 2>/dev/null | sort -rV) \
	    python3.15 python3.14 python3.13 python3.12 python3.11 python3; do \
	  command -v "$$python" >/dev/null && "$$python" -c 'import sys, ssl, venv; \
	    assert sys.version_info >= (3, 11) and sys.implementation.name == "cpython"; \
	    print("%03d%03d" % sys.version_info[:2], sys.executable)' 2>/dev/null; \
	done | sort -rs -k1,1 | awk '!seen[$$2]++ {print $$2}' > .pythons; \
	test -s .pythons || { echo "no Python of version 3.11 or newer was found" >&2; rm -f .pythons; exit 1; }; \
	installed=; \
	while read -r python; do \
	  echo "trying $$python"; rm -rf $(VENV); \
	  if "$$python" -m venv $(VENV) >/dev/null 2>&1; then pip="$(VENV)/bin/python -m pip"; \
	  elif "$$python" -m venv --without-pip $(VENV) && "$$python" -m pip --version >/dev/null 2>&1; \
	  then pip="$$python -m pip --python $(VENV)/bin/python"; \
	  else echo "$$python has neither ensurepip nor pip (Debian: python3-venv)" >&2; continue; fi; \
	  if $$pip install -q --only-binary numpy,gevent,matplotlib -c constraints.txt -e '.[dev]'; \
	  then installed=1; break; fi; \
	done < .pythons; rm -f .pythons; \
	test -n "$$installed" || { echo "installation failed with every Python found" >&2; exit 1; }
	@touch $@
	@$(VENV)/bin/python --version

compare: install
	$(LOADGEN) compare $(ARGS)

# Without a host the embedded target is started; --tls and --users of above are no options of a web UI's.
ui: ARGS =
ui: install
	@port=$$(sed -nE 's/.*(--web-port|-P)[= ]*([0-9]+).*/\2/p' <<< "$(ARGS)"); \
	echo "Locust's web UI: http://127.0.0.1:$${port:-8089}/ (Ctrl-C ends it)"; \
	exec $(VENV)/bin/locust -f locustfiles/compare.py --web-host 127.0.0.1 $(ARGS)

# Most tests wait for programs of their own; those that measure time, or count what the whole machine does, run alone.
test: install
	$(VENV)/bin/python -m pytest -m "not alone" -n 2 --dist loadgroup
	$(VENV)/bin/python -m pytest -m alone

check: install
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/python -m pytest tests/house

format: install
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

bench: install
	$(VENV)/bin/python -m tests.bench $(BENCH)

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find loadgen tests -name __pycache__ -type d -prune -exec rm -rf {} +
