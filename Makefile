# Everything runs in .venv with the pins of requirements.txt. `make` alone lists the targets.

PYTHON ?= python3
PROFILE ?= quick
JOBS ?= 2

VENV := .venv
IN_VENV := $(VENV)/bin/python
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help book test pdf chapter bench notebooks clean distclean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

book: $(READY)  ## set up, execute the chapters that changed, build the pages
	@$(IN_VENV) tools/book/build.py book --jobs $(JOBS)

test: book  ## set up, build what the tests look at, run all tests
	@echo "== Running all tests"
	@$(IN_VENV) -m pytest -n $(JOBS) --dist loadfile $(ARGS)

pdf: $(READY)  ## print the book: _build/book.pdf, and _build/book.html (needs Chromium)
	@$(IN_VENV) tools/book/build.py pdf --jobs $(JOBS)

chapter: $(READY)  ## execute one chapter anew: make chapter C=same-different PROFILE=quick|full
	@$(IN_VENV) tools/book/build.py chapter "$(C)" --profile "$(PROFILE)"

bench: $(READY)  ## measure the speed of kernels and training
	@$(IN_VENV) -m abstract_symbols bench

notebooks: $(READY)  ## refresh the reference notebooks that the tests compare with
	@$(IN_VENV) tools/book/build.py notebooks --jobs $(JOBS)

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
