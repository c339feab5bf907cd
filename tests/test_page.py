"""The page: what is in the file, that nothing in names can run, and that it plays in a real browser."""

import base64
import hashlib
import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import chromium
import numpy as np
import pytest
from clips import example

from skelgraph import Skeleton, page, skeletons
from skelgraph.keypoints import Keypoints
from skelgraph.page import write_page
from skelgraph.poses import Pose3D

PAYLOADS = [
    "</script><script>alert(1)</script>",
    "<script>alert(1)</script>",
    "</SCRIPT ><svg/onload=alert(1)>",
    "<img src=x onerror=alert(1)>",
    "<img onerror=alert(1) src=https://example.org/x.png>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<!--<script>",
    "--><script>alert(1)</script>",
    "]]><script>alert(1)</script>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<iframe src=javascript:alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "<body onload=alert(1)>",
    "<meta http-equiv=refresh content=0;url=https://example.org>",
    "<link rel=stylesheet href=https://example.org/x.css>",
    "<base href=https://example.org/>",
    "<object data=https://example.org/x>",
    "<style>*{display:none}</style>",
    "</style><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    '"><script>alert(1)</script>',
    "' onmouseover='alert(1)",
    "{{script}}{{policy}}{{data}}",
    "\u2028alert(1)\u2029",
    "\u202eevil\u202c",
    "\x00\x07\x1b[31m",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\udcff lone surrogates \udc80",
    "<b>" + "x" * 1_000_000,
]


class Elements(HTMLParser):
    """Counts start tags, and collects the attributes and the text of scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: Counter[tuple[str, str]] = Counter()
        self.texts: list[tuple[str, str]] = []
        self.policy = ""
        self._open = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes.update((tag, name) for name, _ in attrs)
        self._open = tag
        if dict(attrs).get("http-equiv") == "Content-Security-Policy":
            self.policy = dict(attrs)["content"] or ""

    def handle_data(self, data: str) -> None:
        if self._open in ("script", "style"):
            self.texts.append((self._open, data))

    def handle_endtag(self, tag: str) -> None:
        self._open = ""


def block_of(path: Path) -> dict:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', path.read_text(), re.DOTALL)
    assert found
    return json.loads(found[1])


def unpacked(packed: dict, shape: tuple[int, ...]) -> np.ndarray:
    raw = base64.b64decode(packed["base64"])
    if packed["type"] == "int16":
        whole = np.frombuffer(raw, "<i2")
        return np.where(whole == -32768, np.nan, whole * packed["step"]).reshape(shape)
    return np.frombuffer(raw, {"float32": "<f4", "uint8": "u1"}[packed["type"]]).reshape(shape)


def hostile(payload: str) -> tuple[Pose3D, Keypoints]:
    """The payload as every text that reaches a page, past the checks of the classes that hold it."""
    pose, keypoints = example(2)
    skeleton = Skeleton("custom", pose.skeleton.joints, pose.skeleton.parents, parts={payload: range(17)})
    for value, field, content in (
        (keypoints, "joints", (payload, *keypoints.joints[1:])),
        (keypoints, "source", payload),
        (pose, "skeleton", skeleton),
    ):
        object.__setattr__(value, field, content)
    skeleton.__dict__["joints"] = (payload, *skeleton.joints[1:])
    skeleton.__dict__["name"] = payload
    return pose, keypoints


def test_holds_the_numbers(tmp_path):
    pose, keypoints = example()
    truth = pose.joints + 0.01
    block = block_of(write_page(tmp_path / "a.html", pose, keypoints, truth, "A walk", model="AMPose"))
    np.testing.assert_allclose(unpacked(block["poses"][0]["joints"], pose.joints.shape), pose.joints, atol=3e-5)
    centred = truth - truth[:, :1]
    np.testing.assert_allclose(unpacked(block["poses"][1]["joints"], pose.joints.shape), centred, atol=3e-5)
    xy = unpacked(block["keypoints"]["xy"], keypoints.xy.shape)
    np.testing.assert_allclose(xy[:, :-1], keypoints.xy[:, :-1], atol=0.03)
    assert np.isnan(xy[:, -1]).all()
    assert set(unpacked(block["keypoints"]["confidence"], xy.shape[:2])[:, 0]) == {191}
    np.testing.assert_array_equal(unpacked(block["poses"][0]["missing"], xy.shape[:2]), pose.missing)
    assert block["summary"] == ["HUMAN36M", "17 joints", "12 frames", "25 fps", "unit m", "model AMPose"]
    assert block["title"] == "A walk"


def test_large_values_are_stored_as_float32(tmp_path):
    pose, keypoints = example(3)
    far = Pose3D(pose.joints * 1e5, pose.skeleton)
    block = block_of(write_page(tmp_path / "a.html", far))
    assert block["poses"][0]["joints"]["type"] == "float32"
    np.testing.assert_array_equal(unpacked(block["poses"][0]["joints"], far.joints.shape), far.joints)
    assert block["keypoints"] is None


def test_nothing_is_loaded_and_only_its_own_script_may_run(tmp_path):
    html = write_page(tmp_path / "a.html", *example()).read_text()
    elements = Elements(html)
    assert "http://" not in html and "https://" not in html
    assert not [key for key in elements.attributes if key[1] == "src" or key[1].startswith("on") or key[1] == "style"]
    (style,) = (text for tag, text in elements.texts if tag == "style")
    _, script = (text for tag, text in elements.texts if tag == "script")
    hashed = {tag: base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for tag, text in
              (("style-src", style), ("script-src", script))}  # fmt: skip
    assert elements.policy.split("; ") == [
        "default-src 'none'",
        f"script-src 'sha256-{hashed['script-src']}'",
        f"style-src 'sha256-{hashed['style-src']}'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert "innerHTML" not in script and "eval(" not in script and "document.write" not in script


def test_payloads_are_thirty():
    assert len(set(PAYLOADS)) == 30


@pytest.mark.parametrize("number", range(30))
def test_names_are_never_markup(number, tmp_path):
    payload = PAYLOADS[number]
    clean = Elements(write_page(tmp_path / "clean.html", *example(2), title="clean", model="clean").read_text())
    path = write_page(tmp_path / "hostile.html", *hostile(payload), title=payload, model=payload)
    assert path.stat().st_size < 100_000
    elements = Elements(path.read_text())
    assert elements.tags == clean.tags
    assert elements.attributes == clean.attributes
    assert len(elements.texts) == 3
    block = block_of(path)
    assert block["title"][:20] == payload[:20] == block["keypoints"]["joints"][0][:20] == block["parts"][0][:20]


def test_title_is_the_file_name_by_default(tmp_path):
    assert block_of(write_page(tmp_path / "a.html", *example()))["title"] == "clip.json"


def test_keypoints_of_other_names_and_without_names(tmp_path):
    pose, _ = example(2)
    coco = Keypoints(np.ones((2, 17, 2)), np.ones((2, 17)), skeletons.COCO.joints)
    figure = block_of(write_page(tmp_path / "a.html", pose, coco))["keypoints"]
    lines = {tuple(figure["joints"][i] for i in line) for line in figure["lines"]}
    assert ("left_elbow", "left_wrist") in lines and ("left_shoulder", "right_shoulder") in lines
    nameless = Keypoints(np.ones((2, 17, 2)), np.ones((2, 17)))
    assert block_of(write_page(tmp_path / "b.html", pose, nameless))["keypoints"]["joints"] == list(
        pose.skeleton.joints
    )
    five = Keypoints(np.ones((2, 5, 2)), np.ones((2, 5)))
    assert block_of(write_page(tmp_path / "c.html", pose, five))["keypoints"]["joints"] == ["0", "1", "2", "3", "4"]


def test_what_does_not_fit_is_refused(tmp_path):
    pose, keypoints = example(4)
    with pytest.raises(ValueError, match="keypoints have 3 frames, the pose 4"):
        write_page(tmp_path / "a.html", pose, example(3)[1])
    with pytest.raises(ValueError, match=r"truth has the shape \[3, 17, 3\], the pose \[4, 17, 3\]"):
        write_page(tmp_path / "a.html", pose, keypoints, pose.joints[:3])
    with pytest.raises(ValueError, match="truth has the joints of 'COCO'"):
        write_page(tmp_path / "a.html", pose, truth=Pose3D(pose.joints, skeletons.COCO))
    assert list(tmp_path.iterdir()) == []


def test_whole_or_not_at_all(tmp_path, monkeypatch):
    path = write_page(tmp_path / "a.html", *example(2))
    before = path.read_bytes()

    def broken(*_: object) -> None:
        raise OSError("no more")

    monkeypatch.setattr(page.atomic.os, "replace", broken)
    with pytest.raises(OSError, match="no more"):
        write_page(path, *example(5))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


# ---- in a browser


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if chromium.find() is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with chromium.Chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


def text_of(browser: chromium.Chromium, name: str) -> str:
    return browser.run(f"document.getElementById({name!r}).textContent")


def test_plays_scrubs_and_turns(browser, tmp_path):
    pose, keypoints = example(40)
    truth = pose.joints + np.random.default_rng(1).normal(0, 0.02, pose.joints.shape)
    truth -= truth[:, :1]
    browser.events.clear()
    browser.open(write_page(tmp_path / "a.html", pose, keypoints, truth, "walk"))
    error_mm = 1000 * np.linalg.norm(pose.joints - truth, axis=-1).mean(1)
    assert text_of(browser, "error") == f"MPJPE {error_mm[0]:.1f} mm"
    still = browser.pixels("solid"), browser.pixels("flat")
    browser.rest(0.3)
    assert (browser.pixels("solid"), browser.pixels("flat")) == still

    browser.run("document.getElementById('play').click()")
    browser.rest(0.5)
    assert all(
        after != before for after, before in zip((browser.pixels("solid"), browser.pixels("flat")), still, strict=True)
    )
    browser.key(" ")
    browser.key("Home")
    assert (browser.pixels("solid"), browser.pixels("flat")) == still
    browser.key("ArrowRight")
    browser.key("ArrowRight")
    assert text_of(browser, "time") == "3 / 40 · 0.08 s"
    assert text_of(browser, "error") == f"MPJPE {error_mm[2]:.1f} mm"
    browser.run("frame = document.getElementById('frame'), frame.value = 0, frame.dispatchEvent(new Event('input'))")
    browser.rest()
    assert browser.pixels("solid") == still[0]

    left, top, width, height = browser.run(
        "(r => [r.left, r.top, r.width, r.height])(document.getElementById('solid').getBoundingClientRect())"
    )
    x, y = left + width / 2, top + height / 2
    browser.mouse("mousePressed", x, y, button="left", buttons=1)
    browser.mouse("mouseMoved", x + 60, y + 10, button="left", buttons=1)
    browser.mouse("mouseReleased", x + 60, y + 10, button="left")
    turned = browser.pixels("solid")
    assert turned != still[0]
    browser.mouse("mouseWheel", x, y, deltaX=0, deltaY=-300)
    assert browser.pixels("solid") != turned
    browser.run("document.getElementById('reset').click()")
    browser.mouse("mouseMoved", 5, 5)
    assert browser.pixels("solid") == still[0]
    browser.run("document.getElementById('truth').click()")
    browser.rest()
    assert browser.pixels("solid") != still[0]
    assert browser.problems() == []


def test_joint_names_on_hover(browser, tmp_path):
    pose, keypoints = example(2)
    browser.open(write_page(tmp_path / "a.html", pose, keypoints))
    joint = pose.skeleton.index("left_wrist")
    x, y = browser.run(
        f"(r => [r.left + flatPoints[{joint}][0], r.top + flatPoints[{joint}][1]])"
        "(document.getElementById('flat').getBoundingClientRect())"
    )
    browser.mouse("mouseMoved", x, y)
    assert text_of(browser, "tip") == "left_wrist · confidence 0.75"


def test_a_name_that_runs_would_be_seen(browser, tmp_path):
    (tmp_path / "a.html").write_text(f"<title>x</title>{PAYLOADS[1]}<img src=http://127.0.0.1:9/x.png>")
    browser.events.clear()
    browser.open(tmp_path / "a.html")
    assert {"Page.javascriptDialogOpening", "Network.requestWillBeSent"} <= {e["method"] for e in browser.problems()}


@pytest.mark.parametrize("number", range(30))
def test_no_name_runs_as_script(browser, number, tmp_path):
    payload = PAYLOADS[number]
    browser.events.clear()
    browser.open(write_page(tmp_path / "a.html", *hostile(payload), title=payload, model=payload))
    assert browser.problems() == []
    assert text_of(browser, "title")[:20] == payload[:20]
    assert browser.run("document.querySelectorAll('script').length") == 2
    assert browser.run("document.querySelectorAll('img, iframe, object, svg animate, base').length") == 0


@pytest.mark.parametrize("frames", [0, 1])
def test_short_clips(browser, frames, tmp_path):
    pose, keypoints = example(frames)
    browser.events.clear()
    browser.open(write_page(tmp_path / "a.html", pose, keypoints, pose.joints))
    assert text_of(browser, "time") == ("no frames" if frames == 0 else "1 / 1 · 0.00 s")
    assert browser.run("document.getElementById('play').disabled")
    assert browser.problems() == []


def test_long_whole_body_clip_draws_in_time(browser, tmp_path):
    pose, keypoints = example(3000, skeletons.COCO_WHOLEBODY)
    path = write_page(tmp_path / "a.html", pose, keypoints, pose.joints)
    assert path.stat().st_size < 12_000_000
    browser.open(path)
    draw_60 = (
        "(start => { for (let i = 0; i < 60; i++) { state.frame = 50 * i; drawFlat(); drawSolid(); } "
        "return (performance.now() - start) / 60; })(performance.now())"
    )
    assert min(browser.run(draw_60) for _ in range(3)) < 16  # ms a frame
