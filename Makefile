# make demo: set up and annotate five built-in scenes.   make test: set up and run every check.
# make test SLOW=1: the tests that are marked slow too, whole trainings among them, as in CI.
# make docs: set up and build the documentation site, strictly, into site/.
# make dist: build source archive and wheel into dist/, install the wheel into a fresh environment and run the demo there.
PYTHON ?= python3
BIN := .venv/bin
TORCH := 2.13.0

.PHONY: demo test types kernels docs dist bench-table clean

demo: .venv/.core
	$(BIN)/pointmask demo pointmask-demo --overwrite

test: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(MAKE) --no-print-directory --jobs 2 types kernels
	$(BIN)/python -m pytest --numprocesses logical --dist loadfile --no-loadscope-reorder $(if $(SLOW),,-m "not slow")

types: .venv/.dev
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache

kernels: .venv/.dev  # beside the types: else every process of the tests compiles them at the same time
	$(BIN)/pointmask demo build/kernels --overwrite > /dev/null

docs: .venv/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "open site/index.html; searching needs a server: $(BIN)/python -m http.server --directory site"

dist: .venv/.core
	rm -rf dist build
	$(BIN)/python -m pip install --quiet build
	$(BIN)/python -m build
	$(BIN)/python -m venv dist/check
	dist/check/bin/python -m pip install --quiet dist/*.whl
	dist/check/bin/python -m pip check
	cd dist/check && bin/pointmask --version && bin/pointmask demo demo
	rm -rf dist/check

bench-table: .venv/.dev
	$(BIN)/python benchmarks/table.py

.venv/.core: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

.venv/.docs: pyproject.toml .venv/.core
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	touch $@

.venv/.dev: pyproject.toml .venv/.core
	$(BIN)/python -m pip install --quiet --editable '.[dev,train]' torch==$(TORCH)
	touch $@

clean:
	rm -rf .venv pointmask-demo site dist build *.egg-info annotator/*.egg-info
