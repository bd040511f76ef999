# To start: `make demo` and `make test`. Both create .venv first and change nothing outside this folder.

PYTHON ?= python3
BIN := .venv/bin
DEMO := data/demo
DEMO_DATE := 2026-06-30

.PHONY: setup demo test slow lint types lock wheel docs clean

setup: .venv/ready

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python: found $$($(PYTHON) --version), expected 3.11 or newer. Choose another: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c requirements.lock -e '.[all,dev]'
	@touch $@

demo: setup
	@$(BIN)/recsys demo $(DEMO)
	@$(BIN)/recsys --home $(DEMO)/home nightly --inbox $(DEMO)/raw --date $(DEMO_DATE)

# Two workers with one thread each for numpy, torch and faiss: more threads than cores slow the tests down several times.
PYTEST := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/pytest -q -n 2 --dist loadgroup

test: setup
	$(PYTEST)

slow: setup
	$(PYTEST) -m slow

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/sqlfluff lint -q sql

types: setup
	$(BIN)/mypy

lock: setup
	$(BIN)/pip install --quiet pip-tools
	$(BIN)/pip-compile --quiet --upgrade --strip-extras --no-emit-options --no-annotate \
		--extra audio --extra reports --extra dashboards --extra onnx --extra text --extra serve --extra spark --extra studio --extra dev --output-file requirements.lock pyproject.toml
	sed -i "s/^torch==\(.*\)+cpu$$/torch==\1/" requirements.lock  # a local version label would pin one build of the release

wheel: setup
	$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .

docs: setup
	$(BIN)/python tests/documents.py

clean:
	rm -rf .venv build dist *.egg-info $(DEMO)
