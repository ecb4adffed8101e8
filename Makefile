# make run    set up once, then run the first experiment
# make test   the tests (ARGS="-n 2 --dist loadfile" for two at a time, ARGS=-x to stop at the first failure)
# make check  what a change must pass: linter, formatter, types, tests
# make bench  how fast the kernel is, as JSON
# make lock   renew requirements.lock from pyproject.toml (asks the package index)

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
EXPERIMENT ?= experiments/adoption_levels.yaml
OUT ?= out/$(basename $(notdir $(EXPERIMENT)))

.PHONY: run test check bench lock setup clean

run: setup
	$(BIN)/flowsim run $(EXPERIMENT)
	@echo "Results: charts in $(OUT)/charts, tables in $(OUT)/*.csv; $(BIN)/flowsim show $(OUT) prints them again"

test: setup
	$(BIN)/python -m pytest -q $(ARGS)

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q $(ARGS)

bench: setup
	$(BIN)/python -m benchmarks.kernel

setup: $(STAMP)

# The stamp lies inside the environment, so that it goes with it. An environment made by hand is kept.
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "flowsim needs Python 3.11 or newer; say which: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	@test -x $(BIN)/python || { echo "Setting up .venv (once, a minute or two)" >&2; $(PYTHON) -m venv .venv; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

lock: setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check pip-tools
	$(BIN)/pip-compile --quiet --upgrade --extra dev --strip-extras --no-header --no-annotate \
		--no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
		--output-file requirements.lock pyproject.toml

clean:
	rm -rf .venv out build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .flowsim-cache
