"""What only POSIX has is asked for only by the commands that need it."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import another_process as another_process_script
import pytest

from skelgraph.files import atomic
from skelgraph.training import signals


def test_lifting_loads_where_there_is_no_fcntl(another_process: dict) -> None:
    assert another_process["fcntl"] is None


@pytest.mark.slow  # seconds of imports
def test_a_fresh_interpreter_says_what_a_fork_says(another_process: dict, tmp_path: Path) -> None:
    command = [sys.executable, another_process_script.__file__, str(tmp_path / "a.png")]
    assert json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout) == another_process


def test_signals_that_a_system_does_not_have_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "_NAMES", ("SIGINT", "SIGNONE"))
    before = signal.getsignal(signal.SIGINT)
    with signals.StopRequest() as stop:
        assert stop.name is None
    assert signal.getsignal(signal.SIGINT) == before


def test_folders_are_not_opened_on_windows(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*anything: object) -> int:
        raise PermissionError("Windows opens no folders")

    monkeypatch.setattr(atomic.os, "open", refuse)
    with monkeypatch.context() as windows:
        windows.setattr(atomic.os, "name", "nt")
        atomic._sync_folder(tmp_path)
    with pytest.raises(PermissionError):
        atomic._sync_folder(tmp_path)
