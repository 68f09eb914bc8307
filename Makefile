# Few verbs, the same at home and in CI. `make demo` and `make test` set up what they need by themselves.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO := .demo/library
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
SETUP := pyproject.toml constraints.txt

.PHONY: demo test lint unit wheel-test bench docs format clean

demo: $(VENV)/.ready-demo ## index data/demo and ask it a few questions
	@BIN=$(BIN) LIBRARY=$(DEMO) sh scripts/demo.sh

test: lint wheel-test unit ## everything that CI runs

lint: $(VENV)/.ready-test ## style, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: $(VENV)/.ready-test ## the whole test suite
	$(BIN)/pytest -n auto --dist loadgroup

wheel-test: $(VENV)/.ready-test ## the smoke tests against the built wheel, in an environment without the checkout
	sh scripts/wheel_test.sh $(BIN) $(PYTHON)

bench: $(VENV)/.ready-test ## the promises, measured (minutes)
	$(BIN)/python -m benchmarks

docs: $(VENV)/.ready-test ## write the generated pages anew
	$(BIN)/python scripts/write_docs.py

format: $(VENV)/.ready-test ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove all that the other verbs made
	rm -rf $(VENV) .demo .bench dist build .pytest_cache .ruff_cache .mypy_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.ready-demo: $(VENV)/bin/python $(SETUP)
	@echo "setting up $(VENV) (once)"
	$(PIP) install --constraint constraints.txt --editable ".[cpu]"
	@touch $@

$(VENV)/.ready-test: $(VENV)/bin/python $(SETUP)
	$(PIP) install --constraint constraints.txt --editable ".[cpu,decord,models,eval,train,test,lint]"
	@touch $@ $(VENV)/.ready-demo
