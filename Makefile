# Each target sets up what it needs in .venv, on nothing but git, make and Python 3.11 or newer.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip --disable-pip-version-check install -qq --editable
BASE := $(VENV)/.installed-base
DEV := $(VENV)/.installed-dev
BENCH := $(VENV)/.installed-bench

.DELETE_ON_ERROR:
.PHONY: help demo test check bench results

help:
	@echo "make demo     recognise emotions in sample speech (installs no torch)"
	@echo "make test     run the tests"
	@echo "make check    lint, format, types and floors"
	@echo "make bench    measure speed, memory and size beside others into results/ (needs RAVDESS)"
	@echo "make results  rebuild docs/results.md and the tables of the README from results/"

demo: $(BASE)
	@$(BIN)/python examples/demo.py

test: $(DEV)
	$(BIN)/python -m pytest

check: $(DEV)
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/python -m pytest --quiet tests/test_layers.py

bench: $(BENCH)
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.bench
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.timeline
	$(BIN)/overtone results

results: $(DEV)
	$(BIN)/overtone results

# A half-made environment (no pip in it) is made anew; a whole one is kept and brought up to date.
$(BASE): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Overtone needs Python 3.11 or newer; name one: make PYTHON=python3.12 ..."; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@echo "installing Overtone into $(VENV)"
	@$(PIP_INSTALL) .
	@touch $@

$(DEV): $(BASE) pyproject.toml
	@echo "installing what training, tests and checks need into $(VENV)"
	@$(PIP_INSTALL) '.[dev]'
	@touch $@

$(BENCH): $(DEV) pyproject.toml
	@echo "installing what Overtone is compared with into $(VENV)"
	@$(PIP_INSTALL) '.[bench]'
	@touch $@
