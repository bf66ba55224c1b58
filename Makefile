# Each target installs what it needs into .venv. Requires git, make and Python 3.11 or newer.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip --disable-pip-version-check install -qq --editable
BASE := $(VENV)/.installed-base
DEV := $(VENV)/.installed-dev
BENCH := $(VENV)/.installed-bench
# A process per core; the tests of one file stay in one process, as they share fixtures.
PARALLEL := --numprocesses auto --dist loadfile

.DELETE_ON_ERROR:
.PHONY: help demo test test-fast check bench results model

help:
	@echo "make demo       recognise emotions in the example speech (installs no torch)"
	@echo "make test       run all tests"
	@echo "make test-fast  run the tests that are not marked slow"
	@echo "make check      lint, format, types, layers and vocabulary"
	@echo "make bench      benchmark Overtone and comparison systems: speed, memory, size (needs RAVDESS)"
	@echo "make results    generate the results pages and the tables of the README from results/"
	@echo "make model      train and export the bundled models (needs the corpora in OVERTONE_DATA)"

demo: $(BASE)
	@$(BIN)/python examples/demo.py

test: $(DEV)
	$(BIN)/python -m pytest $(PARALLEL)

test-fast: $(DEV)
	$(BIN)/python -m pytest $(PARALLEL) -m "not slow"

check: $(DEV)
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/python -m pytest --quiet tests/test_layers.py tests/test_code_rules.py tests/test_vocabulary.py

bench: $(BENCH)
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.bench
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.timeline
	$(BIN)/python -m tools.report

results: $(DEV)
	$(BIN)/python -m tools.report

model: $(DEV)
	$(BIN)/python tools/train_bundled_model.py --data $${OVERTONE_DATA:-../shared/data}

# An incomplete environment (without pip) is created again; a complete one is updated when pyproject.toml changes.
$(BASE): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Overtone needs Python 3.11 or newer; name one: make PYTHON=python3.12 ..."; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@echo "installing Overtone into $(VENV)"
	@$(PIP_INSTALL) .
	@touch $@

$(DEV): $(BASE) pyproject.toml
	@echo "installing the development dependencies into $(VENV)"
	@$(PIP_INSTALL) '.[dev]'
	@touch $@

$(BENCH): $(DEV) pyproject.toml
	@echo "installing the comparison systems into $(VENV)"
	@$(PIP_INSTALL) '.[bench]'
	@touch $@
