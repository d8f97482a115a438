# The pipeline on a machine that has git, make and Python 3.11 to 3.13. `make help` lists the targets.

bin := .venv/bin
# The `python` that DVC starts is the environment's own, whether or not the environment is activated.
export PATH := $(CURDIR)/$(bin):$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# The libraries whose versions the bytes of a stage's outputs can depend on.
computing := ai-edge-litert|h5py|keras|matplotlib|numpy|pillow|scikit-learn|scipy|tensorflow

.PHONY: all
all: $(bin)/installed ## Install what is missing and bring every result up to date (the default)
	@find .dvc/tmp/rwlock -empty -delete 2>/dev/null || true
	@python -m tools.pull
	@dvc repro
	@python -c 'import json; print("test accuracy: {accuracy:.4f}".format_map(json.load(open("reports/metrics.json"))))'
	@echo "pictures: $$(echo reports/*.png)"

.PHONY: train
train: $(bin)/installed ## Train, whatever is here or on a remote already
	@dvc repro prepare
	@dvc repro --force --single-item train
	@dvc repro

.PHONY: test
test: $(bin)/installed-dev ## Run the tests, but for those that need the network or take minutes
	@pytest

.PHONY: test-servers
test-servers: $(bin)/installed-dev ## Push to and pull from real servers on this machine
	@pytest -m servers

.PHONY: test-real
test-real: $(bin)/installed-dev ## Fetch the real MNIST, train shortly, and prove that it can be had again
	@pytest --numprocesses=0 -m "network or slow" -vv --capture=no

.PHONY: cpus
cpus: $(bin)/installed ## Compare the bits of this CPU with those of emulated ones (needs qemu-user)
	@python -m tools.compare_cpus

.PHONY: bench
bench: $(bin)/installed bench-setup ## Train the recipes, plain Keras, PyTorch and JAX side by side (an hour)
	@dvc repro prepare
	@python -m benchmarks.recipes --peers .venv-peers/bin/python

.PHONY: bench-setup
bench-setup: .venv-peers/installed ## Install PyTorch and JAX in an environment of their own
.venv-peers/installed: benchmarks/requirements-peers.txt
	@test -d .venv-peers || $$(command -v $(PYTHON) python3 | head -n 1) -m venv .venv-peers
	@.venv-peers/bin/python -m pip install --require-hashes --only-binary=:all: --requirement benchmarks/requirements-peers.txt
	@touch $@

.PHONY: lint
lint: $(bin)/installed-dev ## Check style, format and types
	@ruff check .
	@ruff format --check .
	@mypy

.PHONY: lock
lock: $(bin)/installed-dev ## Renew the locked versions in requirements*.txt and environment.yaml
	uv pip compile $(compile) --extra pipeline --extra app --extra s3 --extra ssh pyproject.toml --output-file requirements.txt
	uv pip compile $(compile) --group pyproject.toml:dev --constraints requirements.txt --output-file requirements-dev.txt
	@{ echo '# Written by `make lock`: what builds the packages that have no wheel.'; \
	  sed -n '/^\(packaging\|setuptools\|wheel\)==/,/[^\\]$$/p' requirements.txt; } > requirements-build.txt
	uv pip compile $(compile) benchmarks/requirements-peers.in --output-file benchmarks/requirements-peers.txt
	@{ echo '# Written by `make lock`: the libraries whose versions the bytes of the outputs can depend on.'; \
	  sed -nE 's/^($(computing))==([^ ;]+).*/\1: "\2"/p' requirements.txt; } > environment.yaml
compile := --quiet --upgrade --universal --fork-strategy fewest --python-version 3.11 \
  --generate-hashes --no-annotate --no-header --no-emit-index-url

.PHONY: clean
clean: ## Remove the environment and what tests leave behind, but no result
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info

.PHONY: help
help: ## List the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1|\2/p' Makefile | awk -F'|' '{ printf "make %-12s %s\n", $$1, $$2 }'

$(bin)/installed: requirements-build.txt requirements.txt pyproject.toml
	@python=$$(for python in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
	  "$$python" -c 'import sys, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	    && echo "$$python" && break; done) \
	  || { echo "no Python 3.11 to 3.13 with venv was found; name one: make PYTHON=/path/to/python3" >&2; exit 1; }; \
	  "$$python" -m venv .venv
	@$(bin)/python -m pip install --require-hashes --requirement requirements-build.txt
	@$(bin)/python -m pip install --require-hashes --no-build-isolation --requirement requirements.txt
	@$(bin)/python -m pip install --no-deps --no-build-isolation --editable .
	@touch $@

$(bin)/installed-dev: $(bin)/installed requirements-dev.txt
	@$(bin)/python -m pip install --require-hashes --no-build-isolation --requirement requirements-dev.txt
	@touch $@
