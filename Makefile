# Hazwatch. `make help` explains every target.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
APT = if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends

.PHONY: help setup setup-test run test live inner lint unit bench bench-nation bench-history bench-peers bench-warning bench-risk bench-registry docs lock wheel clean

help: ## Explain every target
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: .setup/run .setup/page ## Make the environment and the page: leaves .venv/bin/hazwatch

run: setup ## All set-up, then start a node with the simulated park: http://127.0.0.1:8600/
	exec $(BIN)/hazwatch run

test: setup-test ## All set-up, then everything: lint, types, house rules, unit, integration, browser
	$(MAKE) --no-print-directory -j2 --output-sync=target live inner

# The two halves of ``make test``, side by side: nodes and browsers mostly wait, everything else mostly computes.
live: .setup/dev
	$(BIN)/python -m pytest tests/app tests/browser

inner: lint
	$(BIN)/python -m pytest --ignore=tests/app --ignore=tests/browser

lint: .setup/dev ## Style, types, and the rules of the house
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: .setup/dev ## Only the tests that need no browser
	$(BIN)/python -m pytest -m "not browser"

bench: .setup/run ## Print performance figures
	$(BIN)/python bench/judge.py
	$(BIN)/python bench/latency.py

bench-nation: .setup/run ## The nation on this machine: 460,000 points at 1 Hz for half an hour, everything counted
	$(BIN)/hazwatch bench stream --seconds 1800 --json

bench-history: .setup/run ## Questions to a store of two billion rows (about 10 GiB of disk, some minutes to fill)
	$(BIN)/python bench/history.py

bench-peers: .setup/dev .setup/fuxa ## The same work beside Prometheus, VictoriaMetrics, InfluxDB, PostgreSQL (where Debian has them) and FUXA
	@command -v prometheus victoria-metrics influxd >/dev/null || { $(APT) prometheus prometheus-alertmanager victoria-metrics influxdb; fi; } || echo "some peers cannot be had here: they are left out"
	$(BIN)/python bench/peers.py

# FUXA keeps its alarms in SQLite: its module is compiled here, against the headers of this machine's node.
.setup/fuxa:
	npm install --silent --no-audit --no-fund --prefix .setup/fuxa.new @frangoteam/fuxa && \
	npm_config_nodedir=$$(dirname $$(dirname $$(readlink -f $$(command -v node)))) npm rebuild --silent --prefix .setup/fuxa.new sqlite3 && \
	mv .setup/fuxa.new .setup/fuxa || echo "FUXA cannot be had here: it is left out"

bench-warning: .setup/run ## Early warning on live Tennessee Eastman runs (needs tep-studio; a quarter of an hour on one core)
	nice -n 10 $(BIN)/python bench/warning.py

bench-risk: .setup/run ## Grading a nation, and the material balance of simulated tanks
	$(BIN)/python bench/risk.py
	$(BIN)/python bench/balance.py 40

bench-registry: .setup/run ## A province of files: import of 60,000 points, p50 and p95 of every list over HTTP
	$(BIN)/python bench/registry.py

docs: .setup/dev ## Write the generated parts of the documentation anew (settings, command line)
	$(BIN)/python docs/generate.py

lock: .setup/dev ## Write the lock files anew from pyproject.toml
	$(PIP) install uv
	$(BIN)/python requirements/lock.py

wheel: .setup/dev .setup/page ## Build the wheel, page included: dist/
	$(BIN)/python -m hatchling build -t wheel

clean: ## Remove what set-up and runs made; asks before it touches var/ (history, records, secrets)
	rm -rf $(VENV) .setup dist build web/node_modules src/hazwatch/web/static .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@if [ -d var ]; then read -r -p "Also remove var/ with all data of the node? [y/N] " a && [ "$$a" = y ] && rm -rf var || true; fi

# --- steps of the set-up; each is done again only when what it depends on changed ------------------------------------

.setup/venv:
	@mkdir -p .setup
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python >= 3.11 is needed"; exit 1; }
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { rm -rf $(VENV); $(APT) python3-venv; else echo "python3-venv is needed"; exit 1; fi; $(PYTHON) -m venv $(VENV); }
	@touch $@

.setup/run: .setup/venv requirements/run.lock pyproject.toml
	$(PIP) install --require-hashes -r requirements/run.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	$(BIN)/python -m hazwatch.app.warm
	@$(PIP) install 'tep-studio>=0.2,<0.3' 2>/dev/null || echo "tep-studio cannot be built here (no C compiler?): the process unit plays a recorded run"
	@touch $@

.setup/dev: .setup/run requirements/dev.lock
	$(PIP) install --require-hashes -r requirements/dev.lock
	@touch $@

.setup/node: .setup/run requirements/node.lock
	@node -e 'process.exit(+process.versions.node.split(".")[0] < 20)' 2>/dev/null && command -v npm >/dev/null || $(PIP) install --require-hashes -r requirements/node.lock
	@touch $@

.setup/page: .setup/node $(shell find web -type f -not -path '*/node_modules/*' 2>/dev/null)
	$(BIN)/python hatch_build.py
	@touch $@

# Real servers for the tests. Where they cannot be had, the tests that need them say so and are skipped.
setup-test: .setup/dev .setup/page ## What the tests need besides: Chromium, PostgreSQL, ClickHouse and ZooKeeper from Debian where possible
	@command -v chromium >/dev/null || { $(APT) chromium; fi; } || echo "no chromium: browser tests will be skipped"
	@fc-list :lang=zh 2>/dev/null | grep -q . || { $(APT) fontconfig fonts-noto-cjk; fi; } || echo "no Chinese font"
	@ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || { $(APT) postgresql; fi; } || echo "no PostgreSQL: its tests will be skipped"
	@{ command -v clickhouse-server && ls /usr/share/java/zookeeper.jar; } >/dev/null 2>&1 || { $(APT) clickhouse-server clickhouse-client zookeeper; fi; } || echo "no ClickHouse or ZooKeeper: the tests of a history cluster will be skipped"
