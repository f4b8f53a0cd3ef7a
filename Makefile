# Every target makes its environment first, when it is missing or older than what it is made from.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PACKAGES := packages/symplectic-ops packages/hamvae-model packages/hamvae-cli

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-long test-bounds lint types bench bench-gpu docs clean

help:  ## list these targets
	@sed -n 's/^\([a-z-]*\):.*##/\1:/p' $(MAKEFILE_LIST) | awk -F': *' '{printf "make %-11s %s\n", $$1, $$2}'

setup: $(READY)  ## make .venv with the three packages (editable) and the developers' tools

# One pip command for the three paths: each finds its neighbours there, so none of their names is looked up elsewhere.
$(READY): pyproject.toml $(PACKAGES:=/pyproject.toml)
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "hamvae needs Python 3.11 or newer and $(PYTHON) is %d.%d: name another one with make PYTHON=..." % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --group dev
	$(BIN)/python -m pip install --no-build-isolation $(PACKAGES:%=--editable %)
	@touch $@

demo: $(READY)  ## train on the built-in characters and swap their motions; writes demo/
	$(BIN)/hamvae demo

test: $(READY)  ## run the tests that take minutes at most together, in two processes
	$(BIN)/python -m pytest -m 'not long' -n 2 --dist loadfile --benchmark-disable

test-long: $(READY)  ## run the long tests and the installed wheels' own; rewrites benchmarks/results/faults-*.json
	$(BIN)/python -m pytest -m long

test-bounds: $(READY)  ## run the tests with the oldest and the newest releases allowed; takes 10 GB for a while
	$(BIN)/python -m tests.repo.bounds

lint: $(READY)  ## check style and formatting
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(READY)  ## check the packages' types, strictly
	$(BIN)/mypy

bench: $(READY)  ## measure speed and quality; slow
	$(BIN)/python -m pip install --group bench
	$(BIN)/python benchmarks/expm/speed.py
	$(BIN)/python benchmarks/expm/memory.py
	$(BIN)/python -m pytest benchmarks/expm/sizes.py --benchmark-only
	$(BIN)/python benchmarks/expm/accuracy.py
	$(BIN)/python benchmarks/gpu/ahead_of_time.py
	$(BIN)/python benchmarks/expm/skew.py
	$(BIN)/python benchmarks/flow/speed.py
	$(BIN)/python benchmarks/flow/drift.py
	$(BIN)/python benchmarks/quality/hamiltonian_share.py
	$(BIN)/python benchmarks/training/step_time.py
	$(BIN)/python benchmarks/training/scaling.py
	$(BIN)/python benchmarks/quality/principal_components.py
	$(BIN)/python benchmarks/data/decoding.py
	$(BIN)/python benchmarks/data/clip_store.py
	$(BIN)/python benchmarks/quality/own_clips.py --final
	$(BIN)/python benchmarks/quality/judges.py builtin sprites
	$(BIN)/python benchmarks/quality/preset.py demo --final
	$(BIN)/python benchmarks/quality/preset.py sprites-small --final
	$(BIN)/python benchmarks/quality/reproduce.py operators --final
	$(BIN)/python benchmarks/quality/reproduce.py operators
	$(BIN)/python benchmarks/quality/reproduce.py ablation
	$(BIN)/python benchmarks/quality/full_size.py

bench-gpu: $(READY)  ## measure the exponential and the flow on a CUDA GPU
	$(BIN)/python benchmarks/gpu/expm.py
	$(BIN)/python benchmarks/gpu/flow.py

docs: $(READY)  ## make the READMEs' picture and tables again
	$(BIN)/python docs/picture.py
	$(BIN)/python docs/tables.py

clean:  ## remove .venv, caches and build outputs; what you trained stays
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis packages/*/dist
	find packages tests benchmarks docs -type d -name __pycache__ -prune -exec rm -rf {} +
