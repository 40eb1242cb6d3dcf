# Everything runs in .venv with the pins of requirements.txt. `make` alone lists the targets.

PYTHON ?= python3
PROFILE ?= quick
JOBS ?= 2

VENV := .venv
IN_VENV := $(VENV)/bin/python
READY := $(VENV)/.ready
PYTEST := $(IN_VENV) -m pytest -n $(JOBS)  # which tests share a process: tests/conftest.py

.DEFAULT_GOAL := help
.PHONY: help book chapter pdf example check lint test notebooks notebooks-check verify bench lock clean distclean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

book: $(READY)  ## set up, execute the chapters that changed, build the pages
	@$(IN_VENV) tools/book/build.py book --jobs $(JOBS)

chapter: $(READY)  ## bring one chapter and its page up to date: make chapter C=same-different PROFILE=quick|full
	@$(IN_VENV) tools/book/build.py chapter "$(C)" --profile "$(PROFILE)" --jobs $(JOBS)

pdf: $(READY)  ## print the book: _build/book.pdf, and _build/book.html (needs Chromium)
	@$(IN_VENV) tools/book/build.py pdf --jobs $(JOBS)

example: $(READY)  ## build the small book of examples/another-paper and judge its claims
	@$(IN_VENV) tools/book/build.py book --project examples/another-paper --jobs $(JOBS)
	@cd examples/another-paper && ../../$(IN_VENV) -m companion verify

check: lint  ## lint, types, and the unit tests that are quick: two minutes, no book needed
	@$(PYTEST) -m "not slow and not browser" --ignore tests/notebooks --ignore tests/browser $(ARGS)

lint: $(READY)  ## style, spelling and types
	@$(IN_VENV) -m ruff check .
	@$(VENV)/bin/codespell
	@$(IN_VENV) -m mypy

test: book  ## set up, build what the tests look at, run all tests
	@echo "== Running all tests"
	@$(PYTEST) $(ARGS)

notebooks: $(READY)  ## refresh the reference notebooks that the tests compare with
	@$(IN_VENV) tools/book/build.py notebooks --jobs $(JOBS)

notebooks-check: $(READY)  ## execute every chapter once more, by nbval, against the references: five minutes
	@$(PYTEST) --nbval tests/notebooks $(ARGS)

verify: $(READY)  ## check the results files, judge every claim
	@$(IN_VENV) -m abstract_symbols verify

bench: $(READY)  ## measure the speed of kernels and training
	@$(IN_VENV) -m abstract_symbols bench

lock: $(READY)  ## pin exact versions in requirements.txt after an edit of pyproject.toml
	@$(IN_VENV) tools/lock.py $(ARGS)

clean:  ## remove everything built (.venv stays)
	rm -rf _build
	@echo "Removed _build. The environment in $(VENV) stays; 'make distclean' removes it too."

distclean: clean  ## remove everything built, and .venv
	rm -rf $(VENV)

$(READY): requirements.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { \
	  echo "Python 3.11 or newer is needed, but there is no '$(PYTHON)'. Install it, or name it: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed, but '$(PYTHON)' is $$($(PYTHON) -V 2>&1). Name a newer one: make PYTHON=/path/to/python3"; exit 1; }
	@echo "== Setting up $(VENV) (once, about three minutes)"
	@test -x $(IN_VENV) || $(PYTHON) -m venv $(VENV) || { \
	  rm -rf $(VENV); echo "Python could not make a virtual environment: install its venv module (python3-venv on Debian)."; exit 1; }
	@$(IN_VENV) -m pip install --disable-pip-version-check -r requirements.txt
	@$(IN_VENV) -m pip check
	@touch $@
