# Everything that is done with this repository. `make` alone says what there is.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help browser pictures demo console up down clean fakes logs token rotate-impressions restore build deploy validate test check checkov fuzz faults faults-long bench cost openapi cli-docs vendor lock format install crawlers test-oldest stack

PYTHON := .venv/bin/python
# A stack on AWS instead of the embedded one: make token STACK=sluice-dev [PROFILE=..] [REGION=..]
STACK_OPTIONS = --stack "$(STACK)" --profile "$(PROFILE)" --region "$(REGION)"

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

# Both install what is missing; they say nothing and take no time when nothing is.
install:
	@sh local/install.sh

stack:
	@sh local/install.sh stack

demo: stack ## the main job, start to end, on a stack of its own: about a minute, leaves nothing behind
	@PYTHONPATH=functions:layers/kernel $(PYTHON) -m local.demo

up: stack ## start the stack on this machine, or bring it up to date; writes .local/env and .local/sam  [PORT=4566] [PARAMETERS="Name=value .."]
	@$(PYTHON) -m local.stack up $(if $(PORT),--port $(PORT)) --parameters '$(PARAMETERS)'

console: stack ## serve the console from the tree's files, before the stack of `make up`: a change is a reload  [PORT=4580]
	@PYTHONPATH=console $(PYTHON) -m local.console $(if $(PORT),--port $(PORT))

down: stack ## stop it; the data stays
	@$(PYTHON) -m local.stack down

clean: stack ## stop it and forget its data
	@$(PYTHON) -m local.stack clean

fakes: install ## serve a Mastodon, an X, a Hedera, a WhatsApp and an identity provider on this machine, and print the parameters of a stack that uses them
	@PYTHONPATH=functions:layers/kernel $(PYTHON) -m local.fakes

logs: stack ## follow the functions' logs  [STACK=.. PROFILE=.. REGION=..]
	@$(PYTHON) -m local.logs $(STACK_OPTIONS)

token: stack ## print a bearer token  ROLE=admin|operator|service|user|viewer  [SUB=..] [HOURS=12] [STACK=.. PROFILE=.. REGION=..]
	@$(PYTHON) -m local.tokens $(STACK_OPTIONS) --role "$(ROLE)" --subject "$(SUB)" --hours "$(HOURS)"

rotate-impressions: stack ## add a key that signs impressions, and make it the current one: six minutes  [STACK=.. PROFILE=.. REGION=..]
	@PYTHONPATH=functions:layers/kernel $(PYTHON) -m local.rotate_impressions $(STACK_OPTIONS)

restore: stack ## take all tables back to a moment  AT=2026-11-26T10:00:00Z  (or FROM=<end of the names of restored tables>)  [STACK=.. PROFILE=.. REGION=..]
	@$(PYTHON) -m local.restore $(STACK_OPTIONS) --at "$(AT)" --from "$(FROM)"

build: stack ## build for this machine's processor into .aws-sam/build  [ARCHITECTURE=arm64|x86_64] [ESCROW=hedera]
	@$(PYTHON) -m local.build --architecture "$(ARCHITECTURE)" --escrow "$(ESCROW)"

deploy: stack ## build for arm64 and deploy to AWS  ENVIRONMENT=dev|prod  [ARCHITECTURE=x86_64] [ESCROW=hedera]
	@$(PYTHON) -m local.build --deploy "$(or $(ENVIRONMENT),dev)" --architecture "$(ARCHITECTURE)" --escrow "$(ESCROW)"

validate: install ## check the template
	@PATH="$(CURDIR)/.venv/bin:$$PATH" SAM_CLI_TELEMETRY=0 sam validate --lint --region us-east-1

format: install ## write every file in the one format
	@.venv/bin/ruff check -q --fix-only . && .venv/bin/ruff format .

check: install ## what needs no server: format, lint, types, template, unit tests
	@$(MAKE) --no-print-directory static
	@.venv/bin/pytest -q tests/template tests/unit

test: install ## everything that CI runs
	@$(PYTHON) -m tests.durations "$(MAKE) --no-print-directory static checkov" \
		".venv/bin/pytest -n 3 --dist worksteal --slowest-files 20"

faults: install ## the fault sweep with the mutation check: whatever is taken out of the product must be noticed. Ten minutes
	@FAULTS=all .venv/bin/pytest -n 2 --dist worksteal tests/faults

faults-long: install ## all pairs of faults, and a million steps of the state machine: a night
	@FAULTS=long .venv/bin/pytest -n 2 --dist worksteal tests/faults

.PHONY: static
static:
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@.venv/bin/mypy --python-version 3.11 cli/sluice_cli
	@$(MAKE) --no-print-directory validate

fuzz: install ## send what docs/openapi.json allows and forbids to a stack of its own: 100 requests per operation  [EXAMPLES=..]
	@EXAMPLES="$(or $(EXAMPLES),100)" .venv/bin/pytest -q --timeout 3600 tests/e2e/test_openapi_fuzz.py

checkov: install .local/checkov/.installed ## look for unsafe settings in the template
	@.local/checkov/bin/checkov --config-file .checkov.yaml

# The server is compiled, so this needs a C compiler.
test-oldest: install .local/redis-oldest/.installed ## scripts and errors on Redis 6.2, the oldest server that is supported
	@REDIS_SERVER="$(CURDIR)/.local/redis-oldest/bin/redis-server" .venv/bin/pytest -q -n 2 --dist worksteal \
		$(foreach of,views_tracking views_outages views_batch views_bounds sync_real,tests/integration/test_$(of).py)

# Environments of their own.
.local/%/.installed: local/%-requirements.txt
	@echo "Installing the packages of $< into .local/$* ..." >&2
	@.venv/bin/uv venv -q --clear --no-project --python .venv/bin/python .local/$*
	@UV_SYSTEM_CERTS=$${UV_SYSTEM_CERTS:-1} .venv/bin/uv pip sync -q --python .local/$*/bin/python --require-hashes $<
	@touch $@

browser: install ## find a Chromium for the tests in a browser, or install one: $$CHROMIUM, the PATH, Playwright's, Debian's
	@$(PYTHON) -m local.browser

pictures: install ## write docs/pictures: the console with the demo's data, on a stack of its own
	@PYTHONPATH=functions:layers/kernel $(PYTHON) -m local.pictures

bench: install ## calls, write units and time per step, against the budgets
	@PYTHONPATH=functions:layers/kernel $(PYTHON) -m tests.bench

cost: install ## write docs/cost.md: what views, steps and an idle month cost, by dated list prices
	@PYTHONPATH=functions:layers/kernel $(PYTHON) -m local.cost

openapi: install ## write docs/openapi.json from the code
	@$(PYTHON) -m local.openapi

cli-docs: install ## write docs/cli.md from the command line's own help
	@$(PYTHON) -m local.cli_docs

vendor: install ## build the console's libraries from console/vendor.json and compare; needs node, which nothing else does  [WRITE=1]
	@$(PYTHON) -m local.vendor $(if $(WRITE),--write)

crawlers: install ## write layers/kernel/sluice/crawlers.txt: names of bots, from the package crawler-user-agents
	@PYTHONPATH=functions:layers/kernel $(PYTHON) -m local.crawlers

lock: install ## pin the newest versions that pyproject.toml allows, with hashes
	.venv/bin/uv pip compile -q pyproject.toml --group dev --python-version 3.13 --universal --generate-hashes \
		--custom-compile-command "make lock" -o requirements.txt
	.venv/bin/uv pip compile -q pyproject.toml --python-version 3.13 --universal --generate-hashes \
		-c requirements.txt --custom-compile-command "make lock" -o layers/dependencies/requirements.txt
	.venv/bin/uv pip compile -q --group promotions --python-version 3.13 --universal --generate-hashes \
		-c requirements.txt --custom-compile-command "make lock" -o layers/promotions/requirements.txt
	.venv/bin/uv pip compile -q --group broadcasts --python-version 3.13 --universal --generate-hashes \
		-c requirements.txt --custom-compile-command "make lock" -o layers/broadcasts/requirements.txt
	.venv/bin/uv pip compile -q --group escrow --python-version 3.13 --universal --generate-hashes \
		-c requirements.txt --custom-compile-command "make lock" -o layers/escrow/requirements.txt
	.venv/bin/uv pip compile -q pyproject.toml --group stack --python-version 3.13 --universal --generate-hashes \
		-c requirements.txt --custom-compile-command "make lock" -o local/stack-requirements.txt
	.venv/bin/uv pip compile -q --group redis-server --python-version 3.13 --universal --generate-hashes \
		-c requirements.txt --custom-compile-command "make lock" -o local/redis-requirements.txt
	.venv/bin/uv pip compile -q --group redis-oldest --python-version 3.13 --universal --generate-hashes \
		-c requirements.txt --custom-compile-command "make lock" -o local/redis-oldest-requirements.txt
	.venv/bin/uv pip compile -q --group checkov --python-version 3.13 --universal --generate-hashes \
		--custom-compile-command "make lock" -o local/checkov-requirements.txt
