"""A process that is killed while it writes leaves the old file, and no half one."""

import importlib.util
import os
import signal
from pathlib import Path

import pytest
import torch
from standing import standing

from skelgraph.io import poses

ENDINGS = ["npz", "csv", "bvh", "trc", *(["c3d"] if importlib.util.find_spec("ezc3d") else [])]


def write_and_die(path: Path, moment: str) -> int:
    """The exit status of a child that is killed where it would call ``os.fsync`` or ``os.replace``."""
    child = os.fork()
    if not child:
        try:
            torch.set_num_threads(1)  # the parent's threads do not live here
            setattr(os, moment, lambda *given: os.kill(os.getpid(), signal.SIGKILL))
            poses.write(standing(frames=300), path, force=True)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_kill_leaves_the_old_file_and_the_next_write_replaces_it(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"pose.{ending}"
    poses.write(standing(frames=200), path)
    old = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for moment in ("fsync", "replace"):  # the bytes are written and not synced, or synced and not yet renamed
        assert write_and_die(path, moment) == -signal.SIGKILL
        assert {path.name: path.read_bytes() for path in tmp_path.glob("pose.*")} == old
    poses.write(standing(frames=300), path, force=True)
    assert path.read_bytes() != old[path.name]
