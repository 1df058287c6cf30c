# Every target sets up what it needs first; python3 (3.11+, with venv), make and git are all that must be there.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
UV := .venv/bin/uv
RUN := $(UV) run --frozen --no-sync
STAMP := .venv/.plait-setup

.PHONY: help setup setup-stores check test test-stores test-deploy test-ui test-chaos deploy bench rules demo

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 18

setup: $(STAMP) ## create .venv and install everything, locked

$(STAMP): pyproject.toml uv.lock
	@test -x .venv/bin/python || $(PYTHON) -m venv .venv
	@test -x $(UV) || .venv/bin/python -m pip install --quiet --disable-pip-version-check uv
	$(UV) sync --frozen --quiet --inexact
	@touch $(STAMP)

check: setup ## ruff, pyright strict, import-linter
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) pyright
	$(RUN) lint-imports --no-cache

test: setup ## the tests; at most five minutes on two cores
	$(RUN) pytest -m "not chaos and not stores and not ui and not deploy"

test-deploy: setup ## deployments on a real Prefect server with a real worker
	$(RUN) pytest -m deploy tests/deploy

deploy: setup ## put work pool, queues, limits and deployments on the server of PREFECT_API_URL; clear what is gone
	$(RUN) python -m flows.deployments

setup-stores: setup ## install the S3 servers the store tests run on, below .cache
	$(RUN) python tests/contexts/stores/servers.py ministack r2

test-stores: setup-stores ## the laws of a store on every S3 server, at full length
	PLAIT_TEST_ROUNDS=50 $(RUN) pytest tests/contexts/stores

# Two at a time: the walk over all points keeps both cores busy only now and then, the others mostly wait.
test-chaos: setup ## kill, race, fill the disk, lose the server; at most twelve minutes on two cores
	$(RUN) pytest -s tests/chaos/test_kill_points.py tests/chaos/test_races.py tests/chaos/test_disk_full.py & first=$$!; \
	$(RUN) pytest -s tests/chaos --ignore tests/chaos/test_kill_points.py --ignore tests/chaos/test_races.py \
	  --ignore tests/chaos/test_disk_full.py; second=$$?; \
	wait $$first && exit $$second

bench: setup ## measure what is promised: start-up, merge, memory, one document, the audit
	$(RUN) python benchmarks/cli.py
	PYTHONPATH=. $(RUN) python benchmarks/merge_time.py
	PYTHONPATH=. $(RUN) python benchmarks/merge_memory.py
	PYTHONPATH=. $(RUN) python benchmarks/documents.py
	PYTHONPATH=. $(RUN) python benchmarks/makespan.py
	PYTHONPATH=. $(RUN) python benchmarks/audit.py

rules: setup ## write docs/rules.md anew from the audit's rules
	$(RUN) python -m contexts.audit.page

demo: setup ## the example feature, built by three agents side by side, merged and tested
	$(RUN) python examples/user_profile/demo.py

test-ui: setup ## the pages in a real browser, Debian's chromium
	@command -v chromium >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null; \
	  else \
	    echo "chromium is not on PATH, and only root can install it: apt-get install chromium (or put a chromium on PATH)" >&2; exit 1; \
	  fi; }
	$(RUN) pytest -m ui tests/ui
