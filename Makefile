# make help lists what there is. Everything but test-system works without root and sets itself up.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --no-input
TESTS  ?= tests

.DEFAULT_GOAL := help
.PHONY: help run test test-system check bench bench-poll bench-modbus torture clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

run: $(VENV)/.run ## Show the whole kit with simulated devices (Ctrl-C stops it)
	@$(BIN)/tpkit demo

test: $(VENV)/.dev ## Run every test that this machine can run, and say what was skipped
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not system" $(TESTS)

test-system: $(VENV)/.dev ## Run the tests that need root (installs what they need)
	@tests/system/install
	@TPKIT_NO_SKIP=1 $(BIN)/python -m pytest -q -m system tests/system

check: $(VENV)/.dev ## Lint, types, rooms, and the promises of the repository
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports
	@$(BIN)/python -m pytest -q tests/contract

bench: bench-poll bench-modbus ## Measure everything; prints one line a figure

bench-poll: $(VENV)/.dev ## What the three services cost beside a bare polling loop (4 minutes)
	@$(BIN)/python -m tests.bench.poll

bench-modbus: $(VENV)/.dev ## A line of 9600 baud: scan time, processor time, a dead neighbour (10 minutes)
	@$(BIN)/python -m tests.bench.modbus

torture: $(VENV)/.dev ## A million hostile frames, a thousand kills on one record (root; about 10 minutes)
	@$(BIN)/python -m tests.hardware.fuzzing 1000000
	@tests/system/install
	@TPKIT_ROUNDS=1000 $(BIN)/python -m pytest -q -m system tests/system/test_three_users.py

clean: ## Remove the environment and what the tools left
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo "tpkit needs Python 3.11, 3.12 or 3.13; $(PYTHON) is $$($(PYTHON) -V 2>&1). Try: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "Python's venv module is missing. Type this, then try again:  sudo apt install python3-venv"; exit 1; }
	@echo "[1/2] Making an environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/.run: pyproject.toml | $(VENV)/bin/python
	@echo "[2/2] Installing tpkit and its libraries, about 20 MB ..."
	@$(PIP) install --progress-bar on -e '.[demo]' | sed -u -n 's/^Collecting \([^ ]*\).*/      \1/p; s/^Successfully.*/      done/p'
	@test -x $(BIN)/tpkit && touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/.run
	@echo "[+] Installing what the tests need, about 90 MB ..."
	@$(PIP) install -q 'pip>=25.1'
	@$(PIP) install --progress-bar on --group dev | sed -u -n 's/^Collecting \([^ ]*\).*/      \1/p; s/^Successfully.*/      done/p'
	@test -x $(BIN)/pytest && touch $@
