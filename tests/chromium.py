"""A headless Chromium for tests, driven over its DevTools pipe with the standard library alone."""

import json
import os
import select
import shutil
import subprocess
import time
from base64 import b64decode
from pathlib import Path
from types import TracebackType
from typing import Any


def find() -> str | None:
    """The Chromium on this machine, if any."""
    names = ("/usr/lib/chromium/chromium", "chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


class Chromium:
    """One page of a headless browser; ``events`` collects what it reports: dialogs, requests, refused scripts."""

    def __init__(self, profile: Path, width: int = 1280, height: int = 820) -> None:
        command = [find() or "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe"]
        command += ["--hide-scrollbars", f"--user-data-dir={profile}", f"--window-size={width},{height}", "about:blank"]
        to_read, self._to = os.pipe()
        self._from, to_write = os.pipe()

        def pipes() -> None:  # DevTools reads file descriptor 3 and writes 4
            spare = os.dup(to_read), os.dup(to_write)
            os.dup2(spare[0], 3)
            os.dup2(spare[1], 4)

        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(command, preexec_fn=pipes, close_fds=False, stdout=quiet, stderr=quiet)
        os.close(to_read)
        os.close(to_write)
        self.events: list[dict[str, Any]] = []
        self._count, self._buffer, self._session = 0, b"", {}
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._session = {"sessionId": session}
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> "Chromium":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._to)
        os.close(self._from)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Sends one DevTools command and waits for its answer."""
        number = self._send(method, params)
        while True:
            answer = self._next(30.0)
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]
            if "method" in answer:
                self.events.append(answer)
            if answer.get("method") == "Page.javascriptDialogOpening":  # it would stop everything else
                self._send("Page.handleJavaScriptDialog", {"accept": True})

    def _send(self, method: str, params: dict[str, Any]) -> int:
        self._count += 1
        message = {"id": self._count, "method": method, "params": params, **self._session}
        os.write(self._to, json.dumps(message).encode() + b"\0")
        return self._count

    def _next(self, seconds: float) -> dict[str, Any]:
        end = time.monotonic() + seconds
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._from], [], [], max(0.0, end - time.monotonic()))
            chunk = os.read(self._from, 1 << 20) if ready else b""
            assert chunk, "Chromium did not answer"
            self._buffer += chunk
        message, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(message)

    def open(self, path: Path) -> None:
        self.call("Page.navigate", url=path.resolve().as_uri())
        self.run("new Promise(done => document.readyState === 'complete' ? done() : addEventListener('load', done))")
        self.rest()

    def run(self, expression: str) -> Any:
        """The value of a JavaScript expression, promises awaited."""
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def rest(self, seconds: float = 0.0) -> None:
        """Waits, and until two more frames are drawn."""
        wait = f"setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), {1000 * seconds})"
        self.run(f"new Promise(done => {wait})")

    def key(self, key: str, modifiers: int = 0) -> None:
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, modifiers=modifiers)
        self.rest()

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)
        self.rest()

    def pixels(self, canvas: str) -> str:
        """A canvas as a data URL, to compare."""
        return self.run(f"document.getElementById({canvas!r}).toDataURL()")

    def problems(self) -> list[dict[str, Any]]:
        """Dialogs, errors, refused scripts and requests to anywhere since ``events`` was cleared."""
        bad = ("Log.entryAdded", "Runtime.exceptionThrown", "Page.javascriptDialogOpening")
        away = [e for e in self.events if e["method"] == "Network.requestWillBeSent"]
        away = [e for e in away if not e["params"]["request"]["url"].startswith(("file:", "data:"))]
        return [event for event in self.events if event["method"] in bad] + away

    def screenshot(self, path: Path) -> None:
        path.write_bytes(b64decode(self.call("Page.captureScreenshot")["data"]))
