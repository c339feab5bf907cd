# make demo: train, evaluate and lift on synthetic people.   make test: the default tests.   make check: lint and types.
PYTHON ?= python3
VENV ?= .venv
RUN ?= runs/demo

ifneq ($(wildcard ../shared/data),)
export SKELGRAPH_DATA ?= $(abspath ../shared/data)
endif
ifneq ($(wildcard ../shared/fixtures),)
export SKELGRAPH_FIXTURES ?= $(abspath ../shared/fixtures)
endif

# Threads that wait asleep: those that spin are many times slower where another program wants a core too.
export OMP_WAIT_POLICY ?= PASSIVE

.PHONY: demo test check clean

demo: $(VENV)/installed
	rm -rf $(RUN)
	$(VENV)/bin/skelgraph train experiments/demo.yaml --out $(RUN)
	$(VENV)/bin/skelgraph evaluate $(RUN)
	$(VENV)/bin/skelgraph lift experiments/clip.npz --checkpoint $(RUN) --truth experiments/clip_truth.npz --out $(RUN)/clip
	@echo
	@echo "Everything is in $(RUN)/: open $(RUN)/clip/pose.html in a browser."
	@echo "Next: $(VENV)/bin/skelgraph lift YOUR_KEYPOINTS.json --checkpoint $(RUN) --out lifted/"

test: $(VENV)/installed-dev
	$(VENV)/bin/python -m pytest

check: $(VENV)/installed-dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

$(VENV)/installed: setup.cfg constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) build *.egg-info
