# supportdesk. Two commands matter: `make run` opens the desk, `make test` proves it works. `make` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
ifeq ($(filter oneshell,$(.FEATURES)),)
$(error This Makefile needs GNU make 3.82 or newer; on macOS: brew install make, then gmake)
endif

HOST ?= 127.0.0.1
PORT ?= 8000
ARGS ?=
PYTHON ?=
KILLS ?= 50
QUICK ?=
NAME ?=

VENV := .venv
PY := $(VENV)/bin/python
ANY_PYTHON = $(or $(wildcard $(PY)),$(PYTHON),python3)
STAMP := $(VENV)/.installed
OURS := supportdesk rotations incidents reports
CHROMIUM_PACKAGES := chromium fonts-liberation
export PYTHON

# A virtual environment whose interpreter has gone (upgraded, or the checkout was moved) is made anew,
# and so is one that does not belong to the interpreter asked for by name.
ifeq ($(wildcard $(PY)),)
$(STAMP): FORCE
else ifneq ($(PYTHON),)
$(STAMP): FORCE
endif

.PHONY: FORCE help run demo test lint story contract chaos bench browser lock clean clean-data

help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile
	echo
	echo '  make run PORT=9000 HOST=0.0.0.0      make test ARGS="tests/incidents -k ack"      PYTHON=python3.12'

run: export SUPPORTDESK_MODE ?= demo
run: $(STAMP)  ## open the desk on this machine, with its own database and demo data; Ctrl-C closes it
	@exec $(PY) manage.py up --parent $$PPID --host $(HOST) --port $(PORT) $(ARGS)

demo: $(STAMP)  ## play one whole emergency against stand-in vendors and tell who did what
	@exec $(PY) -m tests.demo $(ARGS)

demo test story contract chaos bench lint: export SUPPORTDESK_MODE = test

test: $(STAMP) browser  ## run the tests, or those in ARGS, on a database of their own
	@exec $(PY) -m pytest -n 2 --dist worksteal $(ARGS)

story: $(STAMP)  ## play a long emergency and write what everybody saw to build/story/ (NAME=P1)
	@exec $(PY) -m tests.story $(NAME)

contract: $(STAMP)  ## check what we send and receive against the vendors' own API descriptions
	@exec $(PY) -m pytest tests/contract $(ARGS)

chaos: $(STAMP)  ## kill processes and the database while the desk works, and count what got lost (KILLS=50)
	@exec $(PY) -m tests.chaos --kills $(KILLS) $(ARGS)

bench: export BENCH_QUICK := $(QUICK)
bench: $(STAMP)  ## measure speed and lateness beside peers; ARGS=queue names groups, QUICK=1 is short
	@exec $(PY) -m tests.bench $(ARGS)

lint: $(STAMP)  ## style, types, migrations, settings, templates, architecture
	@$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy $(OURS)
	$(PY) manage.py check
	$(PY) manage.py makemigrations --check --dry-run
	$(PY) manage.py check_templates
	$(PY) -m pytest -p no:randomly tests/test_architecture.py tests/supportdesk/test_templates.py

lock:  ## write requirements.lock from pyproject.toml (needs uv); ARGS=--upgrade chooses the newest versions
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --extra dev --no-header $(ARGS) \
	    --output-file requirements.lock pyproject.toml

clean:  ## remove the virtual environment, the test database and all caches; keep the demo data
	@$(ANY_PYTHON) -m supportdesk.embedded.forget test
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build staticfiles
	find $(OURS) tests -name __pycache__ -type d -prune -exec rm -rf {} +

clean-data:  ## remove the demo database: the next run begins with new demo data
	@$(ANY_PYTHON) -m supportdesk.embedded.forget dev

# --- what the commands stand on -------------------------------------------------------------------------------------

# Chromium for the browser tests: installed when we may; else the tests say so themselves (or fail: REQUIRE_BROWSER=1).
browser:
	@for name in $${CHROMIUM:-} chromium chromium-browser google-chrome; do
	    if command -v "$$name" > /dev/null; then exit 0; fi
	done
	if [ "$$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then exit 0; fi
	echo "Installing Chromium for the browser tests …"
	export DEBIAN_FRONTEND=noninteractive
	apt-get -qq -o DPkg::Lock::Timeout=300 update || true
	apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends $(CHROMIUM_PACKAGES) > /dev/null || true

# One virtual environment, one stamp. The stamp holds what was installed, so a mere change of dates installs nothing.
$(STAMP): requirements.lock
	@exec 9< requirements.lock
	if command -v flock > /dev/null; then flock 9; fi   # two calls at once: the second waits, then finds all done
	version='import sys; print("%d.%d.%d" % sys.version_info[:3])'
	python=
	for name in $${PYTHON:-python3.11 python3.12 python3.13 python3}; do
	    if found=$$("$$name" -c "$$version" 2> /dev/null); then
	        if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then python=$$name; break; fi
	        echo "$$name is Python $$found, too old." >&2
	    fi
	done
	if [ -z "$$python" ]; then
	    echo "supportdesk needs Python 3.11 or newer: apt-get install python3.11 python3-venv, or make run PYTHON=/path/to/python3" >&2
	    exit 1
	fi
	wanted="$$(sha256sum < requirements.lock) python $$found"
	if [ "$$(cat $@ 2> /dev/null)" = "$$wanted" ] && $(PY) -c ''; then touch $@; exit 0; fi
	if command -v uv > /dev/null; then
	    echo "Installing the locked packages with uv …"
	    export UV_PYTHON_DOWNLOADS=never
	    uv venv --quiet --clear --python "$$python" $(VENV)
	    uv pip install --quiet --python $(PY) --no-deps --require-hashes -r requirements.lock
	else
	    echo "Installing the locked packages (about a minute) …"
	    pip="$(PY) -m pip"
	    if ! "$$python" -m venv --clear $(VENV) > /dev/null 2>&1; then
	        # Debian's python3 without python3-venv: its own pip can fill an environment that has none, apt can add one.
	        if "$$python" -m pip --version > /dev/null 2>&1 && "$$python" -m venv --clear --without-pip $(VENV); then
	            pip="$$python -m pip --python $(PY)"
	        elif [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
	            echo "Installing python3-venv …"
	            apt-get -qq -o DPkg::Lock::Timeout=300 update || true
	            DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install -y python3-venv > /dev/null
	            "$$python" -m venv --clear $(VENV)
	        else
	            echo "$$python cannot make virtual environments. As root: apt-get install -y python3-venv" >&2
	            exit 1
	        fi
	    fi
	    $$pip --disable-pip-version-check install -qq --no-input --progress-bar off --no-compile \
	        --no-deps --require-hashes -r requirements.lock
	fi
	$(PY) -m compileall -qq -j 0 $(VENV)/lib || true    # by all processors: twice as fast as pip, which uses one
	echo "$$wanted" > $@
