# Two commands: `make run` and `make test`. Both install what they need into ./.venv first, either may come first.
# Everything produced goes under ./var.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PERIODS ?= 2025-07 2025-08 2025-09 2025-10
PUBLISH ?= 2025-09 2025-10
INBOX := $(or $(TIENDO_INBOX),$(or $(TIENDO_HOME),var)/inbox)
SAMPLE := $(or $(TIENDO_HOME),var)/sample
# Two small slips, both only warnings: all 65 communes count, and there is a marked-up workbook to look at.
DEFECTS ?= ck05-rate,ck13-forecast
# And two small differences with the Treasury's statement that only have to be known: a late posting, an overdue advance.
TREASURY ?= posting,overdue

.DEFAULT_GOAL := help
.PHONY: help install run up test check bench fuzz rules lock clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP)  ## dependencies of requirements.lock and the command .venv/bin/tiendo

run: $(STAMP)  ## the whole month through Airflow: sample workbooks in, approved summary out; ends by itself
	@set -e; trap '$(BIN)/tiendo db stop >/dev/null' EXIT; mkdir -p $(INBOX); \
	for period in $(PERIODS); do \
		$(BIN)/tiendo sample --period $$period --out $(SAMPLE)/$$period --defects $(DEFECTS) --treasury $(TREASURY); \
		cp -p $(SAMPLE)/$$period/*.xlsx $(INBOX); done; \
	$(BIN)/tiendo reference load $(foreach p,$(PERIODS),--allocation $(SAMPLE)/$(p)/reference/allocation.csv \
		--treasury $(SAMPLE)/$(p)/reference/treasury-$(firstword $(subst -, ,$(p))).xlsx); \
	$(BIN)/tiendo airflow run $(addprefix --period ,$(PUBLISH))

up: $(STAMP)  ## Airflow for a look, on 127.0.0.1; Ctrl-C ends it
	@$(BIN)/tiendo airflow up

test: $(STAMP)  ## all tests
	@$(BIN)/python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder

check: $(STAMP)  ## ruff, mypy, sqlfluff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --disable-progress-bar sql

bench: $(STAMP)  ## measure against the usual way and the floor
	@$(BIN)/python tests/benchmarks/run.py

fuzz: $(STAMP)  ## damaged files into guard and reader for MINUTES (10)
	@$(BIN)/python tests/fuzz/run.py --minutes $(or $(MINUTES),10)

rules: $(STAMP)  ## expectations/README.md from the rules
	@$(BIN)/tiendo rules readme > expectations/README.md.new && mv expectations/README.md.new expectations/README.md

# Pins stay as they are; `make lock UPGRADE=1` renews them. The production lock comes first and constrains the other,
# so that what is tested is what is shipped.
LOCK := pip compile $(if $(UPGRADE),--upgrade) --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --custom-compile-command 'make lock' pyproject.toml

lock: $(STAMP)  ## requirements.lock and requirements.production.lock from pyproject.toml
	@$(BIN)/uv $(LOCK) --extra pipeline --extra production -o requirements.production.lock
	@$(BIN)/uv $(LOCK) --extra dev --constraints requirements.production.lock -o requirements.lock

clean:  ## remove what was installed and cached; ./var stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +

# uv comes first, by the hashes of the lock, and then installs the rest in a fraction of pip's time. Where only pip
# knows the way to a package index (an office's pip.conf), pip does it. Either way compiled once, here: a process that may
# not write (PYTHONDONTWRITEBYTECODE) would compile some thousand files again each time it starts.
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; give its path: make PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@awk '/^[a-z0-9]/ {mine = /^uv==/} mine' requirements.lock > $(VENV)/uv.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/uv.lock
	@echo "Installing the packages of requirements.lock into $(VENV)"
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r requirements.lock || { \
		echo "uv found no package index; pip takes over (some minutes)"; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q etl dags tests
	@touch $@
