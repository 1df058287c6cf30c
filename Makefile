# Every target sets up what it needs first; python3 (3.11+, with venv), make and git are all that must be there.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
UV := .venv/bin/uv
RUN := $(UV) run --frozen --no-sync
STAMP := .venv/.plait-setup

.PHONY: help setup setup-typescript setup-stores setup-clients setup-postgres check cov docs test test-unit test-stores test-deploy test-ui test-chaos \
  test-audit test-clients test-reference soak server deploy bench demo browser screenshots

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 18

setup: $(STAMP) ## create .venv and install everything, locked

$(STAMP): pyproject.toml uv.lock
	@test -x .venv/bin/python || $(PYTHON) -m venv .venv
	@test -x $(UV) || .venv/bin/python -m pip install --quiet --disable-pip-version-check uv
	$(UV) sync --frozen --quiet --inexact --compile-bytecode
	@touch $(STAMP)

check: setup ## ruff, pyright strict, import-linter
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) pyright
	$(RUN) lint-imports --no-cache

# A file's tests stay together: they share servers and repositories.
TESTS := -n 2 --dist loadfile -m "not chaos and not stores and not ui and not deploy and not clients and not soak and not reference"
test: setup setup-typescript ## the tests
	$(RUN) pytest $(TESTS)

# The floor is in pyproject.toml; only the whole of the tests is held to it.
cov: setup setup-typescript ## the tests, measured: the modules they reach least and the total; fails below the floor
	$(RUN) pytest $(TESTS) --cov --cov-report= --cov-fail-under=0
	@report=$$($(RUN) coverage report --sort=cover); code=$$?; echo "$$report" | sed -n '1,32p'; echo ...; echo "$$report" | tail -n 4; exit $$code

TYPESCRIPT := .cache/typescript
setup-typescript: ## install the TypeScript compiler below .cache, for the tests of contract files; without npm they are skipped
	@test -e $(TYPESCRIPT)/node_modules/typescript/package.json || { \
	  if command -v npm >/dev/null; then \
	    npm install --silent --no-audit --no-fund --ignore-scripts --prefix $(TYPESCRIPT) typescript@5.9.3; \
	  else \
	    echo "there is no npm: the tests that read TypeScript will be skipped" >&2; \
	  fi; }

# Without the walks over the audit's corpora, which take longer than all others together: `make test-audit` has them.
OTHER_SUITES := chaos contexts/audit contexts/stores deploy flows/stores ui
test-unit: setup ## those of `make test` that start no process and open no socket, but for the audit's
	$(RUN) pytest -n 2 --dist worksteal -m "unit and not soak and not reference" $(OTHER_SUITES:%=--ignore tests/%)

# tests/reference.py says where they are; a clone has none.
test-reference: setup ## tests on documents from outside the checkout: in the folder PLAIT_REFERENCE names, or ../shared/reference
	@where=$$($(RUN) python tests/reference.py) || exit; \
	if [ -d "$$where" ]; then $(RUN) pytest -m reference; else echo "not run: there are no documents at $$where"; fi

# Two at a time, each with a server and a worker of its own; what waits longest comes first.
test-deploy: setup setup-postgres ## deployments on a real Prefect server with real workers
	$(RUN) python tests/contexts/stores/servers.py ministack
	$(RUN) pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not soak" tests/deploy

setup-postgres: setup ## Debian's Postgres, for the tests of a server on it
	@$(RUN) python tests/postgres.py >/dev/null 2>&1 || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    mkdir -p /etc/postgresql-common; \
	    [ -e /etc/postgresql-common/createcluster.conf ] || echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
	      -o Dpkg::Options::=--force-confold postgresql >/dev/null; \
	  else \
	    echo "there is no Postgres, and only root can install it (apt-get install postgresql): its tests will be skipped" >&2; \
	  fi; }

server: setup ## a Prefect server in the background, at the address of PREFECT_API_URL; `prefect server stop` ends it
	@$(RUN) python -m flows.cli.prefect_server.start_command

deploy: setup ## put work pool, queues, limits and deployments on the server of PREFECT_API_URL; clear what is gone
	$(RUN) python -m flows.deployments.deploy_all

setup-stores: setup ## install the S3 servers the store tests run on, below .cache
	$(RUN) python tests/contexts/stores/servers.py ministack r2

test-stores: setup-stores ## the laws of a store on every S3 server, and whole runs on a bucket that fails
	$(RUN) pytest -n 2 --dist loadfile tests/contexts/stores tests/flows/stores -m "not soak"

# Two at a time: the walk over all points keeps both cores busy only now and then, the others mostly wait.
FIRST_CHAOS := tests/chaos/test_kill_points.py tests/chaos/test_races.py tests/chaos/test_disk_full.py
test-chaos: setup setup-postgres ## kill, race, fill the disk, lose the server
	$(RUN) pytest -s -m "not soak" $(FIRST_CHAOS) & first=$$!; \
	$(RUN) pytest -s -m "not soak" tests/chaos $(FIRST_CHAOS:%=--ignore %); second=$$?; \
	wait $$first && exit $$second

# What every commit is checked with has a sample of it.
soak: setup-stores setup-postgres test-audit ## the same with more of everything, for hours
	$(RUN) pytest -n 2 --dist loadfile -m "soak and not reference"
	PLAIT_TEST_ROUNDS=100 $(RUN) pytest -n 2 --dist loadfile tests/contexts/stores

setup-clients: ## install Claude Code and Codex below .cache, for test-clients; about 700 MB
	@command -v npm >/dev/null || { echo "npm is not on PATH: install Node 20 or newer" >&2; exit 1; }
	npm install --silent --no-audit --no-fund --ignore-scripts --prefix .cache/clients \
	  @anthropic-ai/claude-code@2.1.330 @openai/codex@0.169.0
	cd .cache/clients && node node_modules/@anthropic-ai/claude-code/install.cjs

test-audit: setup ## mutations, rewritings and subsets of all corpora, where `make test` takes three
	PLAIT_TEST_ALL_CORPORA=1 $(RUN) pytest -n 2 --dist worksteal -m "not reference" tests/contexts/audit

test-clients: setup setup-clients ## the wrappers of `plait init clients` with the real clients and a scripted model
	$(RUN) pytest -m clients tests/docs

docs: setup ## make the generated pages anew
	$(RUN) python -m contexts.spec > docs/reference/spec.md
	$(RUN) python -m contexts.audit.reference_page

bench: setup ## measure what is promised
	$(RUN) python benchmarks/cli.py
	PYTHONPATH=. $(RUN) python benchmarks/merge_time.py
	PYTHONPATH=. $(RUN) python benchmarks/merge_memory.py
	PYTHONPATH=. $(RUN) python benchmarks/documents.py
	PYTHONPATH=. $(RUN) python benchmarks/redaction.py
	PYTHONPATH=. $(RUN) python benchmarks/report.py
	PYTHONPATH=. $(RUN) python benchmarks/makespan.py
	PYTHONPATH=. $(RUN) python benchmarks/resume.py
	PYTHONPATH=. $(RUN) python benchmarks/starting.py
	PYTHONPATH=. $(RUN) python benchmarks/first_use.py
	$(RUN) python benchmarks/checks.py
	PYTHONPATH=. $(RUN) python benchmarks/audit.py
	PYTHONPATH=. $(RUN) python benchmarks/stores.py
	PYTHONPATH=. $(RUN) python benchmarks/store_requests.py

demo: setup ## the example feature, built by three agents side by side, merged and tested
	$(RUN) python examples/user_profile/demo.py

# Debian's chromium and one set of letters, installed where root runs this and they are missing.
browser:
	@command -v chromium >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null; \
	  else \
	    echo "chromium is not on PATH, and only root can install it: apt-get install chromium (or put a chromium on PATH)" >&2; exit 1; \
	  fi; }

test-ui: setup browser ## the report and the Prefect UI in a real browser, Debian's chromium
	$(RUN) pytest -n 2 --dist loadfile -m ui tests/ui

screenshots: setup browser ## make docs/images: the example's run in the Prefect UI, and its report
	$(RUN) python -m tests.ui.screenshots
