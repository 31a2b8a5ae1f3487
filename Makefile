# Everything here works on a fresh machine that has Python 3.11+ and a package index.
#   make demo         see it work             make check        lint, types, directions: the quick part
#   make test         check, then the tests   make conformance  against software that we did not write
#   make bench        how fast the hub, the SDK and the MCP server are

PYTHON ?= python3
BIN := .venv/bin
UV := $(shell command -v uv 2>/dev/null)
PIP_INSTALL := $(if $(UV),uv pip install --quiet --python $(BIN)/python,$(BIN)/python -m pip install --quiet --disable-pip-version-check)

.PHONY: demo test check conformance bench clean

demo: .venv/.base
	@$(BIN)/bosa-mcp demo

test: check
	$(BIN)/pytest --numprocesses auto --dist loadfile --cov --cov-report=term --cov-fail-under=95

check: .venv/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/basedpyright
	$(BIN)/lint-imports

conformance: .venv/.dev
	$(BIN)/pytest tests/conformance

bench: .venv/.dev
	$(BIN)/python tests/benchmarks/hub.py
	$(BIN)/python -m tests.benchmarks.sdk
	$(BIN)/python tests/benchmarks/mcp_server.py

.venv/.base: pyproject.toml
	@$(if $(UV),true,$(PYTHON) -c 'import sys; sys.exit("bosa-mcp needs Python 3.11 or later: make PYTHON=python3.12 …" if sys.version_info < (3, 11) else 0)')
	@test -x $(BIN)/python || $(if $(UV),uv venv --quiet .venv,$(PYTHON) -m venv .venv)
	@echo "Installing bosa-mcp into .venv (a minute, once)"
	@$(PIP_INSTALL) -e .
	@touch $@

.venv/.dev: .venv/.base
	@echo "Installing the development tools into .venv (once)"
	@$(PIP_INSTALL) -e '.[dev]'
	@touch $@

clean:
	rm -rf .venv dist .coverage* .pytest_cache .ruff_cache
