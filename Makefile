# The two commands that people need: `make chat` and `make test`.
PYTHON ?= python3
PERSONA ?= chandler
BIN := .venv/bin

.PHONY: chat test check lint docs dist recording clean

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

# The pages of docs/, and those that they link to, as a site; every warning is an error.
docs: .venv/installed-dev
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --fresh-env --conf-dir docs . build/docs
	@echo "open build/docs/index.html"

# What PyPI gets, checked: the wheel replies in an environment that has charbot from nowhere else. The dependencies in it are
# those of .venv, whose own charbot it does not see: .pth files count in an environment's own folder alone.
dist: .venv/installed-dev
	rm -rf dist build/fresh
	$(BIN)/python -m build --outdir dist >/dev/null
	$(BIN)/twine check --strict dist/*
	$(BIN)/python -m venv --without-pip build/fresh
	$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
		>"$$(build/fresh/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/dependencies.pth"
	$(BIN)/pip --python build/fresh/bin/python install --quiet --no-deps dist/*.whl
	cd build && fresh/bin/charbot say joey "Are you hungry?"

# torch is pinned for development (constraints.txt); the package itself takes a range.
.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	@touch $@

.venv/installed-dev: .venv/installed
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

recording: .venv/installed-dev
	$(BIN)/python docs/record.py

clean:
	rm -rf .venv build dist *.egg-info
