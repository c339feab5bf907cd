"""The page: what is in the file, and that nothing in names is markup; test_page_in_browser looks at it."""

import base64
import hashlib
import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from clips import example, walk
from hostile_names import PAYLOADS, hostile

from skelgraph.poses.keypoints import Keypoints
from skelgraph.poses.pose3d import Pose3D
from skelgraph.skeleton import builtin
from skelgraph.viz import page
from skelgraph.viz.page import write_page


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


def test_holds_the_numbers(tmp_path):
    pose, keypoints = example()
    truth = pose.joints + 0.01
    block = block_of(write_page(tmp_path / "a.html", pose, keypoints, truth, "A walk", model="AMPose"))
    np.testing.assert_allclose(unpacked(block["poses"][0]["joints"], pose.joints.shape), pose.joints, atol=3e-5)
    centred = truth - truth[:, :1]
    np.testing.assert_allclose(unpacked(block["truth"], pose.joints.shape), centred, atol=3e-5)
    xy = unpacked(block["keypoints"]["xy"], keypoints.xy.shape)
    np.testing.assert_allclose(xy[:, :-1], keypoints.xy[:, :-1], atol=0.03)
    assert np.isnan(xy[:, -1]).all()
    assert set(unpacked(block["keypoints"]["confidence"], xy.shape[:2])[:, 0]) == {191}
    np.testing.assert_array_equal(unpacked(block["poses"][0]["missing"], xy.shape[:2]), pose.missing)
    assert block["summary"] == ["HUMAN36M", "17 joints", "12 frames", "25 fps", "unit m", "model AMPose"]
    assert block["title"] == "A walk"


def test_holds_other_people_with_other_skeletons_and_their_errors(tmp_path):
    pose, _ = example(6)
    error_mm = np.random.default_rng(0).gamma(2, 20, (6, 21))
    hand = Pose3D(walk(6, builtin.HAND), builtin.HAND, error_mm=error_mm)
    block = block_of(write_page(tmp_path / "a.html", pose, model="GCN", others={"a hand": hand, "again": pose}))
    assert [each["name"] for each in block["poses"]] == ["GCN", "a hand", "again"]
    first, second, third = block["poses"]
    assert third == {**first, "name": "again"} and first["error_mm"] is None
    np.testing.assert_allclose(unpacked(second["joints"], hand.joints.shape), hand.joints, atol=3e-5)
    np.testing.assert_allclose(unpacked(second["error_mm"], error_mm.shape), error_mm, atol=0.051)
    assert second["figure"]["joints"] == list(builtin.HAND.joints)
    for each, skeleton in ((first, pose.skeleton), (second, builtin.HAND)):
        for name, members in skeleton.parts.items():
            assert {block["parts"][each["figure"]["part"][joint]] for joint in members} == {name}


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
    pose, keypoints = hostile(payload)
    path = write_page(tmp_path / "hostile.html", pose, keypoints, title=payload, model=payload, others={payload: pose})
    assert path.stat().st_size < 100_000
    elements = Elements(path.read_text())
    assert elements.tags == clean.tags
    assert elements.attributes == clean.attributes
    assert len(elements.texts) == 3
    block = block_of(path)
    assert block["title"][:20] == payload[:20] == block["keypoints"]["joints"][0][:20] == block["parts"][0][:20]
    assert [each["name"][:20] for each in block["poses"]] == [payload[:20], payload[:20]]


def test_title_is_the_file_name_by_default(tmp_path):
    assert block_of(write_page(tmp_path / "a.html", *example()))["title"] == "clip.json"


def test_keypoints_of_other_names_and_without_names(tmp_path):
    pose, _ = example(2)
    coco = Keypoints(np.ones((2, 17, 2)), np.ones((2, 17)), builtin.COCO.joints)
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
    with pytest.raises(ValueError, match="truth has no joints hip"):
        write_page(tmp_path / "a.html", pose, truth=Pose3D(pose.joints, builtin.COCO))
    with pytest.raises(ValueError, match="'GraFormer' has 3 frames, 'SemGCN' 4"):
        write_page(tmp_path / "a.html", pose, model="SemGCN", others={"GraFormer": example(3)[0]})
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


def test_of_a_long_clip_every_so_many_frames_are_shown(tmp_path):
    frames = 25_000
    skeleton = builtin.HUMAN36M
    joints = np.zeros((frames, 17, 3), dtype=np.float32)
    joints[:, 3, 0] = np.arange(frames) * 5e-5
    pose = Pose3D(joints, skeleton, fps=30)
    keypoints = Keypoints(np.full((frames, 17, 2), 9.0), np.ones((frames, 17)), skeleton.joints, (640, 480), 30)
    block = block_of(write_page(tmp_path / "long.html", pose, keypoints, joints))
    assert block["frames"] == 8334 and block["fps"] == 10
    assert {"25000 frames", "30 fps", "8334 of the frames shown"} <= set(block["summary"])
    shown = unpacked(block["poses"][0]["joints"], (8334, 17, 3))[:, 3, 0]
    np.testing.assert_allclose(shown, joints[::3, 3, 0], atol=5e-5)
    with pytest.raises(ValueError, match="keypoints have 25000 frames, the pose 24999"):
        write_page(tmp_path / "a.html", Pose3D(joints[1:], skeleton), keypoints)
