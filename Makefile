# Plangate's targets: `make demo` and `make test` need only Python >= 3.11, make and a package index.
# CI runs `make check` and `make test` and nothing else, so green here means green there.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TOOLS := .tools/bin
# What `make tools` built is found before anything else, by every command below.
export PATH := $(CURDIR)/$(TOOLS):$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# Processes for the suite and further arguments of pytest, e.g. `make test ARGS='-k receipt'`.
JOBS ?= auto
ARGS ?=

.PHONY: help
help: ## This list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' Makefile

# --- Set-up -----------------------------------------------------------------------------------------------

# A changed lock makes the environment anew, so that nothing unlocked stays behind.
$(VENV)/.locked: requirements/dev.txt scripts/python
	@scripts/python set-up $(VENV)
	@echo "installing locked dependencies into $(VENV)"
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements/dev.txt
	@touch $@

# NOTE: the sources are installed in place; only the project's frame calls for another install.
$(STAMP): $(VENV)/.locked pyproject.toml
	@echo "installing plangate into $(VENV), in place"
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: dev
dev: $(STAMP) ## The development environment in .venv
	@echo "ready: $(BIN)/plangate"

.PHONY: tools
tools: ## OPA, conftest, OpenTofu and kube-apiserver in .tools/bin, built with Go, where they are missing
	@scripts/tools

# --- What CI runs -----------------------------------------------------------------------------------------

.PHONY: check
check: $(STAMP) ## Formatting, lint, types, layers, policies
	@echo "ruff format"
	@$(BIN)/ruff format --quiet --check . || { $(BIN)/ruff format --quiet --diff . || true; echo "run: make format"; exit 1; }
	@echo "ruff check"
	@$(BIN)/ruff check --quiet .
	@echo "mypy"
	@$(BIN)/mypy --no-error-summary
	@echo "lint-imports"
	@$(BIN)/lint-imports >.venv/lint-imports.txt 2>&1 || { cat .venv/lint-imports.txt; exit 1; }
	@scripts/check-policies

.PHONY: test
test: $(STAMP) ## The whole suite, with branch coverage
	@$(BIN)/python -m pytest -n $(JOBS) --dist worksteal --cov --cov-report=term $(ARGS)

.PHONY: test-quick
test-quick: $(STAMP) ## The suite without its slow tests, without coverage
	@$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -q -m "not slow" $(ARGS)

.PHONY: mutate
mutate: $(STAMP) ## Do the tests of the shipped policies notice faults?
	@$(BIN)/plangate policy mutate policies --threshold 90 $(ARGS)

.PHONY: format
format: $(STAMP) ## Formats the code and applies safe fixes
	@$(BIN)/ruff check --quiet --fix . || true
	@$(BIN)/ruff format --quiet .

# --- Seeing it work ---------------------------------------------------------------------------------------

.PHONY: demo
demo: $(STAMP) ## The main job on real plans: denied, allowed, applied, verified
	@scripts/demo

.PHONY: docs
docs: $(STAMP) ## Writes the generated pages and pictures anew
	@$(BIN)/python scripts/generate_rule_docs.py
	@$(BIN)/python scripts/generate_reference.py
	@$(BIN)/python scripts/generate_format_matrix.py

.PHONY: bench
bench: $(STAMP) ## Time and memory of checks beside what `make bench-peers` installed, the executor for AWS, admission
	@$(BIN)/python -m bench.run $(ARGS)
	@if command -v wrk >/dev/null && command -v opa >/dev/null; then $(BIN)/python -m bench.serve; \
		else echo "admission over HTTP: skipped, wrk or opa is not on PATH"; fi

.PHONY: bench-aws
bench-aws: $(STAMP) ## The executor for AWS against a double: workers, journal and lock, a plan that changes nothing
	@$(BIN)/python -m bench.aws $(ARGS)

.PHONY: bench-serve
bench-serve: $(STAMP) ## Admission over HTTP beside OPA, with wrk
	@$(BIN)/python -m bench.serve $(ARGS)

.PHONY: bench-docs
bench-docs: $(STAMP) ## Puts the last measured table into docs/performance.md
	@$(BIN)/python -m bench.write_docs

.PHONY: bench-peers
bench-peers: ## What `make bench` compares with, outside of the development environment
	@scripts/bench-peers

# --- Upkeep -----------------------------------------------------------------------------------------------

UV_COMPILE = .venv-lock/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	--no-emit-index-url --custom-compile-command "make lock" $(UPGRADE)

.PHONY: lock
lock: ## Rewrites requirements/*.txt; `make lock UPGRADE=--upgrade` takes new versions
	@[ -x .venv-lock/bin/uv ] || { scripts/python set-up .venv-lock; \
		.venv-lock/bin/python -m pip install --quiet --require-hashes --requirement requirements/lock.txt; }
	@$(UV_COMPILE) pyproject.toml --output-file requirements/core.txt
	@$(UV_COMPILE) pyproject.toml --all-extras --group dev --constraints requirements/core.txt \
		--output-file requirements/dev.txt
	@$(UV_COMPILE) --group lock --output-file requirements/lock.txt
	@$(UV_COMPILE) --group peers --output-file requirements/peers.txt
	@echo "locked: requirements/core.txt dev.txt lock.txt peers.txt"

.PHONY: clean
clean: ## Removes what the targets above made, but not a .plangate state folder
	@rm -rf .venv .venv-lock .venv-peers .tools dist build bench/data bench/results.json \
		.coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
