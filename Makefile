# The two commands: `make run` tries Crockery out, `make test` checks everything. All set-up is done on the way.
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin

help:
	@echo "make run    start the demo: a throw-away domain with mail in it, on high ports of this machine"
	@echo "make test   all tests, types, lint and layering"
	@echo "make lint   the checks without the tests"
	@echo "make bench  measure against Postfix + Dovecot (installs them), write BENCHMARKS.md"
	@echo "make clean  remove what was built, .venv too"

run: $(VENV)/.run
	@$(BIN)/crockery demo

test: $(VENV)/.test lint
	$(BIN)/python -m pytest -q

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

bench: $(VENV)/.test
	tools/bench/install.sh
	$(BIN)/python -m tools.bench.run

$(VENV)/.run: pyproject.toml tools/setup.sh
	@tools/setup.sh $(VENV) ""
	@touch $@

$(VENV)/.test: pyproject.toml tools/setup.sh tests/packages.txt
	@tools/setup.sh $(VENV) "[test]"
	@touch $@ $(VENV)/.run

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .hypothesis

.PHONY: help run test lint bench clean
