"""The parts of training: the experiment, its rows, the loop, the optimiser, the run folder."""
