# Each target sets up what it needs. ARGS goes to the command: make compare ARGS="--users 10 URL"
SHELL := /bin/bash
VENV := .venv
LOADGEN := $(VENV)/bin/loadgen
INSTALLED := $(VENV)/.installed
# Without --users a pilot chooses a load at which neither generator nor target is full.
ARGS ?= --tls
# The unit tests that call modules that are compiled, for a second turn as pure Python; test_core holds that both turns
# differ. Those of what no such module is part of (the protocols of HTTP/2 and WebSocket, what reads rows) would say the same again.
CORE_TESTS := $(wildcard tests/unit/wire/test_*.py) tests/unit/wire/http1 tests/unit/wire/proxy \
	$(addprefix tests/unit/wire/http2/test_, h2c.py reporting.py stream.py) \
	$(wildcard tests/unit/drive/test_*.py) tests/unit/drive/slots tests/unit/drive/requests tests/unit/drive/open_loop \
	tests/unit/drive/pilot/test_trial_runner.py tests/unit/model/test_sample_sink.py \
	$(addprefix tests/unit/swarm/test_, class_runner.py user_classes.py with_locust.py) \
	$(addprefix tests/unit/measure/data/test_, recorder.py rows.py store.py) tests/house/test_core.py
# Tests at a time, on two cores. More than there are cores, as they also wait.
JOBS ?= 3
# To collect all of the tests takes longer than to find the few files that have some of these.
ALONE = $(shell grep -rl --include='test_*.py' 'mark\.alone' tests)
# Modules are compiled to bytecode once, whatever the caller's environment says: the tests start a thousand processes.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: install lock compare ui quick test coverage faults fuzz sanitize wheel check audit docs man format bench aa soak clean

# The core is compiled again where it has changed; LOADGEN_PURE=1 compiles nothing.
install: $(INSTALLED)
	@$(VENV)/bin/python .ci/compile.py

# With the newest CPython from 3.11 on with which everything installs.
$(INSTALLED): pyproject.toml constraints.txt .ci/install.sh .ci/pythons.sh
	@.ci/install.sh $(VENV)
	@touch $@
	@$(VENV)/bin/python --version

# Resolves constraints.txt anew for each CPython; UPGRADE=1 takes the newest versions.
lock:
	@python=$$(.ci/pythons.sh | awk 'NR == 1 {print $$2}'); \
	"$${python:?no CPython 3.11 or newer was found}" .ci/lock.py $(if $(UPGRADE),--upgrade)

compare: install
	$(LOADGEN) compare $(ARGS)

# --tls of above is no option of the web UI.
ui: ARGS =
ui: install
	@exec $(LOADGEN) ui $(ARGS)

# The unit tests and the house's rules: no target, no worker. The turn as pure Python is `test`'s.
quick: install
	$(VENV)/bin/python -m pytest -m "not alone" -n $(JOBS) tests/unit tests/house

# All tests, JOBS at a time, as most of them wait for programs that they started. Those that measure time, or count what
# the whole machine does, run alone.
test: install
	$(VENV)/bin/python -m pytest -m "not alone" -n $(JOBS)
	$(VENV)/bin/python -m pytest -m alone $(ALONE)
	LOADGEN_PURE=1 $(VENV)/bin/python -m pytest -m "not alone" -n 2 $(CORE_TESTS)

# The core with AddressSanitizer, under the unit tests of parsers and connections.
sanitize: install
	.ci/sanitize.sh $(VENV) -n 2

# How often intervals hold the truth in simulated runs, about three minutes: COVERAGE="--only drift --experiments 200" for a part.
coverage: install
	$(VENV)/bin/python -m tests.coverage $(COVERAGE)

# Kills processes of runs, and reports, at random moments: FAULTS="--kills 200 --seed 7" for others.
faults: install
	$(VENV)/bin/python -m tests.faults $(FAULTS)

# What reads a peer's bytes, fuzzed: FUZZ="--minutes 1 http2" for a part of it; 10 minutes for each core by default.
fuzz: install
	$(VENV)/bin/pip install -q -c constraints.txt -e '.[fuzz]'
	$(VENV)/bin/python -m tests.fuzz $(FUZZ)

# A wheel for the Python of $(VENV), with the core compiled, into dist/.
wheel: install
	$(VENV)/bin/python .ci/wheel.py

check: install
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/python -m pytest tests/house/test_documents.py tests/house/test_layers.py tests/house/test_packaging.py tests/house/test_tests.py

# Known vulnerabilities of the pinned dependencies, where their list can be reached.
audit: install
	$(VENV)/bin/python .ci/audit.py

# The pages that are made from tables of the code; a test holds that they are up to date.
docs: install
	$(VENV)/bin/python -m tests.support.generated_docs

# build/man/loadgen.1, made from the help of all commands.
man: install
	$(VENV)/bin/python .ci/man.py

format: install
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

bench: install
	$(VENV)/bin/python -m tests.bench $(BENCH)

# Compares a policy with itself 20 times: how many runs find a difference. AA="--runs 5 -- --users 5 --think 5ms" for others.
aa: install
	$(VENV)/bin/python -m tests.bench.aa $(AA)

# Ten minutes at 5,000 connections: memory and descriptors stay flat, nothing is lost. SOAK="--seconds 60" makes it shorter.
soak: install
	$(VENV)/bin/python -m tests.bench.soak $(SOAK)

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis loadgen/core.*.txt
	find loadgen -name '*.so' -delete
	find loadgen tests -name __pycache__ -type d -prune -exec rm -rf {} +
