# Everything a newcomer needs: `make demo` and `make test`. Both set up .venv first; nothing else on the machine is touched.

PYTHON ?= python3
BIN := .venv/bin
# Their dependencies (TensorFlow, PyAudio) are neither needed nor installable: we read the one's weights, call the other's synthesiser.
NO_DEPS := musicnn==0.1.0 tinysoundfont==0.3.7
DEMO := data/demo
DEMO_DATE := 2026-06-30

.PHONY: setup demo test slow lint types lock wheel docs clean

setup: .venv/ready

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed, found $$($(PYTHON) --version). Name another: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c requirements.lock -e '.[all,dev]'
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -c requirements.lock $(NO_DEPS)
	@touch $@

demo: setup
	@$(BIN)/recsys demo $(DEMO)
	@$(BIN)/recsys --home $(DEMO)/home nightly --inbox $(DEMO)/raw --date $(DEMO_DATE)

# Two workers, each with one thread for numpy, torch and faiss: threads that wait for each other cost several times the work.
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
		--extra audio --extra reports --extra dashboards --extra spark --extra dev --output-file requirements.lock pyproject.toml
	sed -i "s/^torch==\(.*\)+cpu$$/torch==\1/" requirements.lock  # the local label names one build of the same release

wheel: setup
	$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .

docs: setup
	$(BIN)/python tests/documents.py

clean:
	rm -rf .venv build dist *.egg-info $(DEMO)
