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

.PHONY: demo test check weights clean

demo: $(VENV)/installed
	rm -rf $(RUN)
	$(VENV)/bin/skelgraph train experiments/demo.yaml --out $(RUN)
	$(VENV)/bin/skelgraph evaluate $(RUN)
	$(VENV)/bin/skelgraph lift experiments/clip.npz --checkpoint $(RUN) --truth experiments/clip_truth.npz --out $(RUN)/clip
	@echo
	@echo "Everything is in $(RUN)/: open $(RUN)/clip/pose.html in a browser."
	@echo "Next: $(VENV)/bin/skelgraph lift YOUR_KEYPOINTS.json --out lifted/"

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

# The shipped lifters. Their error estimates are fitted on people kept from training, with a detector's faults.
SEEN = cmu_94,cmu_60,cmu_61,cmu_01,cmu_05_iclone,cmu8_basketball,cmu8_jumping,cmu8_running,cmu8_soccer,cmu8_walking,$\
    cmu8_walking_extra,cmu8_washwindow,cmu8_basketball_signal,cmu8_directing_traffic
weights: $(VENV)/installed
	$(VENV)/bin/skelgraph train experiments/lift_body.yaml
	$(VENV)/bin/skelgraph train experiments/lift_body_tuned.yaml
	$(VENV)/bin/skelgraph train experiments/lift_body_last.yaml
	$(VENV)/bin/skelgraph pack runs/lift_body_last skelgraph/lifting/weights/human36m.safetensors --force \
	    "data={name: MotionCapture, held_out: null, exclude: [$(SEEN)], noise_px: 5, missing: 0.1, bone_scale: 0, scale: 0}"
	$(VENV)/bin/skelgraph train experiments/lift_whole_body.yaml
	$(VENV)/bin/skelgraph pack runs/lift_whole_body skelgraph/lifting/weights/coco_wholebody.safetensors --force \
	    "data={name: Synthetic, noise_px: 5, missing: 0.1, seed: 7}"

clean:
	rm -rf $(VENV) build *.egg-info
