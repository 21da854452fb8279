# deskclerk: bare `make` prints help. Needs Python 3.11 or newer with pip, and nothing else.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
OUTSIDE := .venv-outside
UV := $(BIN)/uv
UV_VERSION := 0.13.9
RESOLVE := pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet
# An editable install comes after site-packages on the path, and the registry has packages named `tools` and `evals`.
export PYTHONPATH := $(CURDIR)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help
help: ## Print this help.
	@echo "deskclerk does office work over external systems from a request in plain words."; echo
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

# ---------------------------------------------------------------- what a person runs

.PHONY: demo
demo: $(VENV)/.runtime ## Do the main job with a real model: purchase order in, invoice and payment out.
	@$(BIN)/deskclerk demo

.PHONY: serve
serve: $(VENV)/.runtime ## Serve the API on http://127.0.0.1:8000.
	@$(BIN)/deskclerk serve

.PHONY: test
test: assets bfcl ## Run every test, with a real database, real processes and the real model.
	@$(BIN)/deskclerk models pull
	@$(BIN)/pytest --durations=10

# ---------------------------------------------------------------- what a developer runs

.PHONY: check
check: assets ## Format, lint, types, import rules and the fast tests.
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports
	@$(BIN)/pyright
	@$(BIN)/pytest -q -m "not service and not model and not browser"

.PHONY: format
format: $(VENV)/.dev ## Format the code and mend what the linter can.
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

.PHONY: bench
bench: assets ## Measure, against peers and limits, in one run.
	@$(BIN)/python -m benchmarks.prisma
	@$(BIN)/python -m benchmarks.streams
	@$(BIN)/python -m benchmarks.durability
	@$(BIN)/python -m benchmarks.policy
	@$(BIN)/python -m benchmarks.guards
	@$(BIN)/python -m benchmarks.evals

.PHONY: chaos
chaos: assets ## Kill, cut, freeze and race real servers in full, for about an hour; `make test` does it in short.
	@$(BIN)/python -m tests.chaos $(PROOFS)

.PHONY: fuzz
fuzz: assets ## Make 20,000 requests from the OpenAPI document, in every role; `make test` does it in short.
	@$(BIN)/python -m tests.fuzz

.PHONY: load
load: assets ## Have 300 users ask at once for five minutes.
	@$(BIN)/python -m benchmarks.load

.PHONY: evals
evals: assets ## Try every case over the demo company with the model of DESKCLERK_LLM; goes on where it was stopped.
	@$(BIN)/deskclerk evals run --resume

.PHONY: evals-security
evals-security: assets $(OUTSIDE)/.ready ## Attack the guard: 629 pairs of AgentDojo, and over a hundred attacks of our own.
	@$(BIN)/python -m evals.security
	@$(OUTSIDE)/bin/python -m evals.outside.agentdojo

.PHONY: evals-simulation
evals-simulation: assets ## Try the release gate on suites whose pass rates are known: false alarms, power, runs.
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m evals.simulation

.PHONY: evals-bfcl
evals-bfcl: assets bfcl ## Prove our conversion with BFCL's checker, then score the model on ROWS random rows (40).
	@$(BIN)/python -m evals.outside.bfcl check
	@$(BIN)/python -m evals.outside.bfcl score --rows $(or $(ROWS),40)

.PHONY: migration
migration: assets ## Write a migration for both databases: make migration NAME=add_a_column
	@test -n "$(NAME)" || { echo "Say what it does: make migration NAME=add_a_column"; exit 1; }
	@$(BIN)/python -m prisma.migrate.author "$(NAME)"

.PHONY: generate
generate: assets ## Write the typed database client and .env.example again from what they are made of.
	@$(BIN)/deskclerk db generate
	@$(BIN)/python -m api.env_example

.PHONY: lock
lock: $(UV) ## Resolve the lock files again.
	@$(UV) $(RESOLVE) --upgrade --all-extras --group dev -o requirements-dev.lock
	@$(UV) $(RESOLVE) -c requirements-dev.lock -o requirements.lock
	@$(UV) $(RESOLVE) --group outside -c requirements-dev.lock --overrides evals/outside/overrides.txt -o requirements-outside.lock

.PHONY: clean
clean: ## Remove the environment and what runs left behind; keeps the cache of weights.
	rm -rf $(VENV) $(OUTSIDE) .outside-bfcl .deskclerk .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ---------------------------------------------------------------- set-up: one environment, two depths

.PHONY: setup
setup: $(VENV)/.runtime ## Make the environment that runs deskclerk.

.PHONY: setup-dev
setup-dev: $(VENV)/.dev ## Make the environment that also checks it.

.PHONY: assets
assets: $(VENV)/.dev
	@$(BIN)/python -m prisma.assets

.PHONY: bfcl
bfcl: .outside-bfcl/.installed
.outside-bfcl/.installed: evals/outside/bfcl/requirements.txt | $(UV)
	@$(UV) pip install --quiet --no-deps --require-hashes --target .outside-bfcl -r $<
	@touch $@

# The environment gets its pip from outside, so a Python without `ensurepip` (Debian's) will do.
$(UV):
	@test -n "$(PYTHON)" || { echo "deskclerk needs Python 3.11 or newer, and none is on PATH."; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version)."
	@$(PYTHON) -m venv --without-pip $(VENV)
	@$(PYTHON) -m pip --python $(BIN)/python install --quiet pip uv==$(UV_VERSION)

$(VENV)/.runtime: requirements.lock pyproject.toml | $(UV)
	@if test -e $(VENV)/.dev; then $(MAKE) --no-print-directory $(VENV)/.dev; \
	else $(UV) pip install --require-hashes -r requirements.lock; fi
	@$(UV) pip install --quiet --no-deps --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(UV)
	@$(UV) pip install --require-hashes -r requirements-dev.lock
	@$(UV) pip install --quiet --no-deps --editable .
	@touch $@ $(VENV)/.runtime

# Other people's benchmarks refuse some of our versions of packages that they do not need here: so no dependencies are
# resolved, the lock is installed as it stands (evals/outside/overrides.txt).
$(OUTSIDE)/.ready: requirements-outside.lock pyproject.toml | $(VENV)/.dev
	@$(UV) venv --quiet --allow-existing --python $(BIN)/python $(OUTSIDE)
	@$(UV) pip install --quiet --python $(OUTSIDE)/bin/python --no-deps --require-hashes -r requirements-outside.lock
	@$(UV) pip install --quiet --python $(OUTSIDE)/bin/python --no-deps --editable .
	@touch $@
