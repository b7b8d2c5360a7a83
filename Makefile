# Everything a developer runs. `make setup` needs Python 3.11 and nothing else.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: setup demo test check e2e soak bench lock docs screenshot

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
		|| { echo "WorkReef needs Python 3.11; '$(PYTHON)' is another. Run: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || { echo "Creating .venv"; $(PYTHON) -m venv .venv; }
	@echo "Installing the locked dependencies"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

demo: setup
	@$(BIN)/workreef demo

check: setup
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml workreef_app
	$(BIN)/deptry .
	$(BIN)/python -m scripts.audit_dependencies

test: setup
	$(BIN)/coverage erase
	$(BIN)/python -m pytest -n 3 --dist loadfile --cov --cov-report=term

e2e: setup
	$(BIN)/python -m pytest -n 2 --dist loadfile tests/e2e

soak: setup
	$(BIN)/python -m tests.services.audit.mutations --count 100000
	$(BIN)/python -m tests.services.audit.soak --seconds 600
	$(BIN)/python -m tests.chaos.soak

bench: setup
	$(BIN)/python -m benchmarks.audit_append
	$(BIN)/python -m benchmarks.verify
	$(BIN)/python -m benchmarks.audit_list
	$(BIN)/python -m benchmarks.receipt
	$(BIN)/python -m benchmarks.startup
	$(BIN)/python -m benchmarks.imports --lines 1000000
	$(BIN)/python -m benchmarks.digest
	$(BIN)/python -m benchmarks.door
	$(BIN)/python -m benchmarks.events
	$(BIN)/python -m benchmarks.jobs
	$(BIN)/python -m benchmarks.reclaim
	@if [ -n "$(PII)" ]; then $(BIN)/python -m benchmarks.redaction --data "$(PII)"; \
	else echo "redaction: left out; give a file of labelled lines: make bench PII=/path/to/lines.jsonl"; fi
	@if [ -n "$(DATA)" ]; then $(BIN)/python -m benchmarks.clustering --data "$(DATA)"; \
	else echo "clustering: left out; give the folder of the log sets: make bench DATA=/path/to/loghub"; fi

docs: setup
	$(BIN)/python -c 'from workreef_app.settings import document; open("docs/settings.md", "w").write(document())'
	$(BIN)/python -m scripts.asvs
	$(BIN)/python -m scripts.audit_events

screenshot: setup
	$(BIN)/python -m scripts.screenshot

lock:
	uv pip compile --quiet pyproject.toml --extra dev --generate-hashes --no-emit-index-url --universal --no-strip-extras \
		--python-version 3.11 --no-header -o requirements.lock
