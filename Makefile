# The two commands that people need: `make chat` and `make test`.
PYTHON ?= python3
PERSONA ?= chandler
BIN := .venv/bin

.PHONY: chat test check lint package recording clean

chat: .venv/installed
	@$(BIN)/charbot chat $(PERSONA)

test: .venv/installed-dev
	$(BIN)/pytest --numprocesses 4

# What is quick enough to run before every commit: lint, types and all tests but the slow ones.
check: lint
	$(BIN)/pytest --numprocesses 4 -m "not slow" tests/charbot tests/trainer tests/test_*.py

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# torch is pinned for development (constraints.txt); the package itself takes a range.
.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	@touch $@

.venv/installed-dev: .venv/installed
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

# The wheel and the source distribution, checked; and a reply from the wheel in an environment of its own.
package: .venv/installed-dev
	rm -rf dist
	$(BIN)/python -m build --outdir dist .
	$(BIN)/twine check --strict dist/*
	$(PYTHON) -m venv --clear dist/venv
	dist/venv/bin/pip install --quiet --constraint constraints.txt dist/*.whl
	cd dist && venv/bin/charbot say chandler "Hi, how are you?"

recording: .venv/installed-dev
	$(BIN)/python docs/record.py

clean:
	rm -rf .venv build dist *.egg-info
