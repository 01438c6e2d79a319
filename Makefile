# GNU make 3.81 and newer. .setup/ remembers which steps are done; an interrupted set-up continues at the step where
# it stopped. pip checks all that it downloads against the hashes in constraints.txt.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DONE := .setup
AUDIT := $(DONE)/audit/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL := $(PIP) install -qq --constraint constraints.txt
QUESTION := which papers discuss eigendecomposition as a game?
WRITER ?= yes
# Advisories without a fixed release whose code rag_qa never runs: Chroma's Python server (twice), llama.cpp's disk cache.
UNREACHABLE := CVE-2026-45829 CVE-2026-45833 CVE-2025-69872
BRING_WRITER := $(filter-out no,$(WRITER))

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help demo test fast lint docs dist sbom audit mutants setup dev llama constraints readme clean always

# One line for each target: what stands after its ##.
help:
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1@\2/p' Makefile | awk -F@ '{ printf "%-17s %s\n", $$1, $$2 }'
	@echo "Variables: PYTHON=python3.12, CMAKE_ARGS=... and TORCH_INDEX=... (a GPU: docs/guides/gpu.md),"
	@echo "WRITER=no (without the language model that writes, a download of 1.1 GB)"

demo: setup ## set everything up, index the sample papers and ask a question
	@$(BIN)/rag-qa index --sample --index demo-index
	@echo '$$ rag-qa ask --index demo-index "$(QUESTION)"'
	@$(BIN)/rag-qa ask --index demo-index "$(QUESTION)"

test: setup dev lint ## set everything up, run every test and check the scores of the sample sets
	$(BIN)/pytest --hypothesis-profile=thorough
	$(BIN)/pytest -n0 -m "(process or slow or shared or browser) and not (model or writer)" --hypothesis-profile=thorough
	$(BIN)/pytest -n0 -m "model or writer" --hypothesis-profile=thorough
	$(BIN)/rag-qa eval --check sample conversations

fast: dev ## the tests that need no model and no process of their own
	$(BIN)/pytest

lint: dev ## ruff and mypy
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

docs: dev ## build the pages of docs/ into site/; a warning is an error
	$(BIN)/python -m mkdocs build --strict

dist: dev ## build the wheel and the sdist into dist/
	$(BIN)/python -m build --no-isolation

sbom: dev $(DONE)/audited ## write the software bill of materials (CycloneDX) to sbom.json
	$(AUDIT)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --output-file sbom.json $(VENV)

audit: $(DONE)/audited ## look for known vulnerabilities in the pinned packages; needs the network
	@echo "Asking PyPI for the advisories of every package in constraints.txt; without a network this fails."
	$(AUDIT)/pip-audit --strict --requirement constraints.txt --require-hashes --disable-pip $(addprefix --ignore-vuln ,$(UNREACHABLE))

mutants: dev ## mutation testing of the modules that pyproject.toml names; takes hours
	$(BIN)/mutmut run

setup: $(DONE)/checked $(if $(BRING_WRITER),$(DONE)/writer) ## only the environment (.venv)

dev: $(DONE)/dev ## the environment with the tools for development

# Always run, but changed only when the Python is another one.
$(DONE)/python: always
	@mkdir -p $(DONE)
	@command -v $(PYTHON) > /dev/null || { \
	  echo "There is no $(PYTHON). Install Python 3.11 or newer, or name one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) scripts/check_python.py > $@.new || { rm -f $@.new; exit 1; }
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

$(DONE)/pip.txt: constraints.txt | $(DONE)/python
	@sed -n '/^pip==/p' constraints.txt > $@

$(DONE)/venv: $(DONE)/python $(DONE)/pip.txt
	@if [ "`$(BIN)/python scripts/check_python.py 2> /dev/null`" != "`cat $(DONE)/python`" ]; then \
	  echo "Creating $(VENV)" && rm -rf $(VENV) && $(PYTHON) -m venv $(VENV); fi
	$(PIP) install -qq --requirement $(DONE)/pip.txt
	@touch $@

# Compiles llama.cpp and downloads everything else meanwhile. The steps below repeat a download that failed.
$(DONE)/wheel: $(DONE)/venv constraints.txt
	$(BIN)/python scripts/side_by_side.py $(DONE)/downloads.log $(if $(BRING_WRITER),--writer $(DONE)/writer)
	@touch $@

$(DONE)/torch: $(DONE)/wheel
	@$(BIN)/python scripts/install_torch.py
	@touch $@

$(DONE)/llama: $(DONE)/wheel
	$(BIN)/python scripts/build_llama.py
	@touch $@

$(DONE)/env: $(DONE)/torch $(DONE)/llama pyproject.toml
	@echo "Installing rag_qa and any library that is missing"
	$(BIN)/python scripts/install_libraries.py
	@touch $@

$(DONE)/checked: $(DONE)/env
	@$(BIN)/python scripts/build_llama.py --check
	@touch $@

# A failed download counts as done: the screen and `rag-qa doctor` name the command that downloads the model later.
$(DONE)/writer: | $(DONE)/checked
	@$(BIN)/python scripts/pull_writer.py
	@touch $@

$(DONE)/dev: $(DONE)/checked
	$(INSTALL) --build-constraint constraints.txt --group dev
	@touch $@

$(DONE)/audited: $(DONE)/pip.txt
	$(PYTHON) -m venv $(DONE)/audit
	$(AUDIT)/python -m pip install -qq --requirement $(DONE)/pip.txt
	$(AUDIT)/python -m pip install -qq --constraint constraints.txt --group audit
	@touch $@

llama: $(DONE)/env ## build llama.cpp again: after a change of processor or of CMAKE_ARGS
	$(BIN)/python scripts/build_llama.py
	$(BIN)/python scripts/build_llama.py --check

constraints: dev ## resolve constraints.txt anew, for all systems, with hashes
	$(BIN)/python scripts/constraints.py

readme: setup ## write models/README.md from the catalogue
	$(BIN)/python -m rag_qa.app.models_page > models/README.md

clean: ## remove the environment, the demo index, what was built and all caches of this folder
	rm -rf $(DONE) $(VENV) demo-index build dist site sbom.json mutants .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find rag_qa tests eval scripts docs -name __pycache__ -type d -prune -exec rm -rf {} +
