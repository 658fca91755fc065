# Orchestra's commands. `make` alone lists them.
#
# All paths are relative: make splits names at spaces, and the clone may lie in a folder with one.

PYTHON ?= python3
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
MANAGE := $(BIN)/python manage.py
UV_VERSION := 0.13.9

# Named after the content of what they were made from: a start with the same requirements installs nothing.
PRODUCT := $(VENV)/.product-$(shell cat requirements.txt requirements.lock | cksum | cut -d ' ' -f 1)
DEVELOPMENT := $(VENV)/.development-$(shell cat requirements.txt requirements.lock requirements-dev.txt | cksum | cut -d ' ' -f 1)

# Packages are installed without compiling all of them, which takes half of the time; what is used is compiled on first
# use, unless the environment forbids it. A clone's environment is not the caller's either.
export PYTHONDONTWRITEBYTECODE :=
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help install run stop test check format lock benchmark soak screenshots clean

help: ## List these commands
	@echo 'Usage: make COMMAND'
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-11s %s\n", $$1, $$2 }' Makefile

install: $(PRODUCT) ## Install the product into .venv

run: $(PRODUCT) ## Start everything on this machine and print the address (Ctrl-C stops it)
	@$(MANAGE) run $(ARGS)

stop: $(PRODUCT) ## Stop what `make run` started, also after it was killed
	@$(MANAGE) stop

test: $(DEVELOPMENT) ## Run the tests (ARGS="tests/files -x" for some of them)
	@$(BIN)/python -m $(if $(ARGS),pytest -m "not benchmark" $(ARGS),tests.all)

check: $(DEVELOPMENT) ## Check style, types, import directions, migrations and deployment settings
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m mypy .
	@$(BIN)/python -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'
	@$(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run # needs no database: not warned of
	@BEHIND_TLS_PROXY=true $(MANAGE) check --deploy --fail-level WARNING

format: $(DEVELOPMENT) ## Format the code and repair what can be repaired
	@$(BIN)/python -m ruff check --fix .
	@$(BIN)/python -m ruff format .

lock: $(BIN)/uv ## Make requirements.lock and the bill of materials again from requirements.txt
	@$(BIN)/uv pip compile requirements.txt --universal --python-version 3.11 --generate-hashes \
		--no-emit-package torch --custom-compile-command "make lock" --quiet --output-file requirements.lock
	@{ cat requirements.lock; grep '^torch==' requirements.txt; } | sed -nE 's/^([A-Za-z0-9._-]+==[^ ;]+).*/\1/p' | \
		$(BIN)/uv tool run --quiet --from cyclonedx-bom==7.5.0 cyclonedx-py requirements - --output-reproducible | \
		$(BIN)/python -c 'import json, sys; bom = json.load(sys.stdin); \
		[part.pop("externalReferences") for part in bom["components"]]; print(json.dumps(bom, indent=1))' \
		> docs/reference/sbom.cdx.json

benchmark: $(DEVELOPMENT) ## Measure speed and memory
	@$(BIN)/python -m pytest -m benchmark $(ARGS) tests/benchmarks

soak: $(DEVELOPMENT) ## Kill parts at random under uploads for most of an hour; writes var/reliability.json
	@$(BIN)/python -m tests.faults.soak $(ARGS)

screenshots: $(DEVELOPMENT) ## Take pictures of every page, wide, narrow, light and dark, into var/screenshots
	@$(BIN)/python -m tests.screenshots $(ARGS)

clean: ## Remove .venv and caches; your data in var/ stays
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis staticfiles
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
		echo "Orchestra needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is not: try make PYTHON=python3.12 $(MAKECMDGOALS)"; \
		exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
		rm -rf $(VENV); echo "Python cannot make a virtual environment; on Debian: apt install python3-venv"; exit 1; }

$(BIN)/uv: | $(BIN)/python
	@$(BIN)/python -m pip install -qq --disable-pip-version-check uv==$(UV_VERSION)

# uv takes seconds where pip takes a minute or two, but knows only its own indexes: where it fails, pip installs the same
# lock. torch comes by pip in any case: the lock leaves it out, see pyproject.toml.
$(PRODUCT): | $(BIN)/python
	@echo "Installing into $(VENV) (once, about a minute)..."
	@{ $(MAKE) --no-print-directory $(BIN)/uv && $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps \
		--require-hashes --requirement requirements.lock; } || $(BIN)/python -m pip install -qq \
		--disable-pip-version-check --no-deps --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-compile "$$(grep '^torch==' requirements.txt)"
	@rm -f $(VENV)/.product-* && touch $@

$(DEVELOPMENT): $(PRODUCT)
	@echo "Installing the development tools into $(VENV)..."
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --requirement requirements-dev.txt || $(BIN)/python -m pip \
		install -qq --disable-pip-version-check --requirement requirements-dev.txt
	@rm -f $(VENV)/.development-* && touch $@
