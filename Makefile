# Run `make` for the list of targets. Everything is installed into .venv and frontend/node_modules.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ORACLES := tests/fuzz/token/oracles

.DEFAULT_GOAL := help
.PHONY: help setup demo token test check format lock images smoke sbom audit fuzz fuzz-wire soak bench clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{ printf "make %-8s %s\n", $$1, $$2 }'

setup: $(VENV)/.installed frontend/node_modules/.installed ## Install everything into .venv and frontend/node_modules

$(VENV)/.installed: requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	@echo "Installing Python packages into $(VENV) (once; about a minute)" >&2
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

%/node_modules/.installed: %/package-lock.json
	@command -v npm >/dev/null || { echo "Node 20.19 or later with npm is needed for $*" >&2; exit 1; }
	@cd $* && npm ci --silent --no-audit --no-fund
	@mkdir -p $(@D) && touch $@

demo: setup ## Start local Cognito, backend, sidecar and frontend; Ctrl-C stops all of it
	@$(BIN)/python -m deploy.local.demo

token: setup ## Print an access token of a demo user
	@$(BIN)/python -m deploy.local.token

BESIDE := tests/attacks tests/fuzz tests/integration/differential tests/integration/faults tests/integration/isolation

test: setup $(VENV)/.test-installed $(ORACLES)/node_modules/.installed ## Run all tests
	@cd frontend && npm test --silent
	@mkdir -p .local
	@# Three quarters of all tests need one core only, and no coverage: they run beside the rest.
	@$(BIN)/python -m pytest $(BESIDE) >.local/beside.log 2>&1 & beside=$$!; \
	trap 'kill $$beside 2>/dev/null' INT TERM; \
	$(BIN)/python -m pytest $(addprefix --ignore=,$(BESIDE)) --cov --cov-report=term; status=$$?; \
	wait $$beside || status=1; cat .local/beside.log; exit $$status
	@$(BIN)/coverage report --fail-under=100 --include='sidecar/identity/*,sidecar/policy/*,sidecar/proxy/headers.py' >/dev/null || $(BIN)/coverage report --fail-under=100 --include='sidecar/identity/*,sidecar/policy/*,sidecar/proxy/headers.py'

check: setup $(VENV)/.test-installed ## Check format, lint, types, import rules and the CloudFormation template
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-cache >/dev/null || $(BIN)/lint-imports --no-cache
	@$(BIN)/cfn-lint deploy/aws/*.yaml
	@cd frontend && npm run --silent check
	@echo "check: clean"

format: setup ## Format the code and fix what can be fixed
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

LOCK = $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' pyproject.toml

lock: setup ## Choose versions anew and write the lock files
	@$(LOCK) -o requirements.lock
	@$(LOCK) --extra dev -c requirements.lock -o requirements-dev.lock
	@$(LOCK) --extra test -c requirements-dev.lock -o requirements-test.lock
	@$(LOCK) --extra bench -c requirements-test.lock -o requirements-bench.lock
	@$(MAKE) --silent deploy/docker/backend.lock deploy/docker/cognito.lock

$(VENV)/.%-installed: requirements-%.lock $(VENV)/.installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $<
	@touch $@

# Taken out of the lock for the two images that hold less than `make setup` installs.
deploy/docker/%.lock: deploy/docker/%.in requirements-dev.lock
	@$(subst pyproject.toml,$<,$(subst --upgrade,,$(LOCK))) -c requirements-dev.lock -o $@

images: ## Build the container images (docker, podman or buildah)
	@deploy/docker/build.sh

smoke: images ## Run the built images and walk the main story through them
	@deploy/docker/smoke.sh

sbom: setup $(VENV)/.test-installed ## Write what the sidecar image contains, as CycloneDX, to dist/sbom.json
	@mkdir -p dist && $(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --mc-type application --output-reproducible --of JSON -o dist/sbom.json requirements.lock
	@cd frontend && npm sbom --package-lock-only --omit dev --sbom-format cyclonedx > ../dist/sbom-frontend.json

audit: setup $(VENV)/.test-installed ## Ask the vulnerability database about every locked package
	@$(BIN)/pip-audit --disable-pip --require-hashes -r requirements.lock

fuzz: setup $(VENV)/.test-installed $(ORACLES)/node_modules/.installed ## Hold a million tokens against other people's verifiers (COUNT=n)
	@$(BIN)/python -m tests.fuzz.token --count $(or $(COUNT),1000000)
	@$(BIN)/python -m tests.fuzz.token.memory --count $(or $(COUNT),1000000)

fuzz-wire: setup $(VENV)/.test-installed ## Send a million mutated requests (COUNT=n)
	@$(BIN)/python -m tests.fuzz.wire --count $(or $(COUNT),1000000)

bench: setup $(VENV)/.bench-installed ## Measure CPU per request side by side with Envoy, HAProxy, Node and others
	@$(BIN)/python -m tests.bench
	@$(BIN)/python -m tests.bench.verifier

soak: setup ## Hours of mixed load and faults in minutes (MINUTES=n)
	@$(BIN)/python -m tests.bench.soak --minutes $(or $(MINUTES),5)

clean: ## Remove everything that was installed or made
	rm -rf $(VENV) .local .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .hypothesis frontend/node_modules frontend/dist
