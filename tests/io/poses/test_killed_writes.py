"""A process that is killed while it writes leaves the old file, and no half one."""

import importlib.util
import subprocess
import sys

from standing import standing

from skelgraph.io import poses

# Each child dies by kill -9 when it has written its bytes and not synced them, or synced and not yet renamed them.
KILLED = """
import os, pathlib, signal, sys
from standing import standing
from skelgraph.io import poses
for path in map(pathlib.Path, sys.argv[1:]):
    for moment in ("fsync", "replace"):
        child = os.fork()
        if not child:
            setattr(os, moment, lambda *given: os.kill(os.getpid(), signal.SIGKILL))
            poses.write(standing(frames=300), path, force=True)
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status == -signal.SIGKILL, (path, moment, status)
"""


def test_a_kill_leaves_the_old_file_and_the_next_write_replaces_it(tmp_path):
    endings = ["npz", "csv", "bvh", "trc", *(["c3d"] if importlib.util.find_spec("ezc3d") else [])]
    paths = [tmp_path / f"pose.{ending}" for ending in endings]
    for path in paths:
        poses.write(standing(frames=200), path)
    old = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    script = f"import sys; sys.path[:0] = {sys.path!r}\n{KILLED}"
    done = subprocess.run([sys.executable, "-c", script, *map(str, paths)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert {path.name: path.read_bytes() for path in tmp_path.glob("pose.*")} == old
    for path in paths:
        poses.write(standing(frames=300), path, force=True)
        assert path.read_bytes() != old[path.name]
