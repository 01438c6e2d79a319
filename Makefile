# GNU make 3.81 and newer. What is done is remembered in .setup/ and not repeated; an interrupted
# set-up goes on at the step where it stopped.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DONE := .setup
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL := $(PIP) install -qq --constraint constraints.txt
QUESTION := which papers discuss eigendecomposition as a game?
WRITER ?= yes
BRING_WRITER := $(filter-out no,$(WRITER))

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help demo test lint setup llama constraints readme clean always

help:
	@echo "make demo         set everything up, index the sample papers and ask a question"
	@echo "make test         set everything up, run every test and check the scores of the sample sets"
	@echo "make lint         ruff and mypy"
	@echo "make setup        only the environment (.venv)"
	@echo "make llama        build llama.cpp again: after a change of processor or of CMAKE_ARGS"
	@echo "make constraints  resolve constraints.txt anew"
	@echo "make readme       write models/README.md from the catalogue"
	@echo "make clean        remove the environment, the demo index and all caches of this folder"
	@echo "Variables: PYTHON=python3.12, CMAKE_ARGS=... (models/README.md), TORCH_INDEX=... (README.md),"
	@echo "WRITER=no (without the language model that writes, a download of 1.1 GB)"

demo: setup
	@$(BIN)/rag-qa index --sample --index demo-index
	@echo '$$ rag-qa ask --index demo-index "$(QUESTION)"'
	@$(BIN)/rag-qa ask --index demo-index "$(QUESTION)"

test: setup $(DONE)/dev lint
	$(BIN)/pytest -m "not model"
	$(BIN)/pytest -m model
	$(BIN)/rag-qa eval --check sample conversations

lint: $(DONE)/dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

setup: $(DONE)/checked $(if $(BRING_WRITER),$(DONE)/writer)

# Always run, but changed only when the Python is another one.
$(DONE)/python: always
	@mkdir -p $(DONE)
	@command -v $(PYTHON) > /dev/null || { \
	  echo "There is no $(PYTHON). Install Python 3.11 or newer, or name one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) scripts/check_python.py > $@.new || { rm -f $@.new; exit 1; }
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

$(DONE)/venv: $(DONE)/python
	@if [ "`$(BIN)/python scripts/check_python.py 2> /dev/null`" != "`cat $(DONE)/python`" ]; then \
	  echo "Creating $(VENV)" && rm -rf $(VENV) && $(PYTHON) -m venv $(VENV); fi
	$(INSTALL) pip
	@touch $@

# Compiles llama.cpp and downloads all else meanwhile. What is then missing the steps below bring, and say why it was.
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
	@echo "Installing rag_qa and what is missing of its libraries"
	$(INSTALL) --build-constraint constraints.txt --editable '.[starter]'
	@touch $@

$(DONE)/checked: $(DONE)/env
	@$(BIN)/python scripts/build_llama.py --check
	@touch $@

# A failed download is remembered, too: what brings the model later is on the screen and in `rag-qa doctor`.
$(DONE)/writer: | $(DONE)/checked
	@$(BIN)/python scripts/pull_writer.py
	@touch $@

$(DONE)/dev: $(DONE)/checked
	$(INSTALL) --group dev
	@touch $@

llama: $(DONE)/env
	$(BIN)/python scripts/build_llama.py
	$(BIN)/python scripts/build_llama.py --check

constraints: $(DONE)/venv
	$(BIN)/python scripts/constraints.py

readme: setup
	$(BIN)/python -m rag_qa.app.models_page > models/README.md

clean:
	rm -rf $(DONE) $(VENV) demo-index build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find rag_qa tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +
