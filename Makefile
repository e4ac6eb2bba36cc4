# make demo: set up and annotate five built-in scenes.   make test: set up and run every check.
PYTHON ?= python3
BIN := .venv/bin
TORCH := 2.13.0

.PHONY: demo test bench-table clean

demo: .venv/.core
	$(BIN)/pointmask demo pointmask-demo --overwrite

test: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/python -m pytest --numprocesses logical --dist loadfile

bench-table: .venv/.dev
	$(BIN)/python benchmarks/table.py

.venv/.core: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

.venv/.dev: pyproject.toml .venv/.core
	$(BIN)/python -m pip install --quiet --editable '.[dev,train]' torch==$(TORCH)
	touch $@

clean:
	rm -rf .venv pointmask-demo build *.egg-info annotator/*.egg-info
