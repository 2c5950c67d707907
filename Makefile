# The two commands are `make demo` and `make test`; both set up what is missing first.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := attestation canisters cdk devnet leasehold tee_worker
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup runtime demo test lint type format bench clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(VENV)/.ready: requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing: install Python 3.11, or say make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "setting up $(VENV) from requirements.lock (a few minutes the first time)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

setup: $(VENV)/.ready runtime ## Install the Python environment and build the canister runtime

runtime: $(VENV)/.ready
	@$(BIN)/python -m cdk.toolchain --quiet

demo: setup ## Play the whole story on a local network
	@$(BIN)/leasehold demo

test: setup ## Run every test
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

lint: $(VENV)/.ready ## Check style
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

type: $(VENV)/.ready ## Check types
	@$(BIN)/mypy

format: $(VENV)/.ready ## Rewrite sources in the project's format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: setup ## Print the figures README and docs quote
	@$(BIN)/python -m benchmarks

clean: ## Remove what was built here (the user's cache folder stays)
	rm -rf .leasehold build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
