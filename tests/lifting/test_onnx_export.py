import copy
import inspect
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from every_model import keypoint_models
from torch import Tensor, nn

import skelgraph
from skelgraph import Skeleton
from skelgraph.cli.app import main
from skelgraph.lifting.lifter import Lifter
from skelgraph.lifting.onnx_export import ExportSummary, export, export_model
from skelgraph.nn import models
from skelgraph.nn.models import SkeletonModel
from skelgraph.nn.output import PoseOutput
from skelgraph.skeleton.builtin import COCO_WHOLEBODY, HUMAN36M
from skelgraph.training import checkpoint

ort = pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

SIZE = (1000.0, 800.0)
SMALL = {
    **{"num_layers": 1, "hidden_channels": 16, "channels": 16, "heads": 2, "head_channels": 8, "ffn_channels": 16},
    "dropout": 0.0,
}
WALKER = Skeleton("walker", ["hip", "left_knee", "right_knee"], [-1, 0, 0])


class Plain(SkeletonModel):
    """x, y and the sum of all channels; a head of its own for the error."""

    def __init__(self, error: bool = False, in_channels: int = 2) -> None:
        super().__init__(WALKER, in_channels)
        self.head = nn.Linear(2, 3) if error else None

    def forward(self, x: Tensor) -> Tensor | PoseOutput:
        pose = torch.cat([x[..., :2], x.sum(-1, keepdim=True).exp()], -1)
        return pose if self.head is None else PoseOutput(pose, self.head(x[..., :2]).abs())


class Choosy(Plain):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x if x.sum() > 0 else -x)


def frames(size: int, skeleton: Skeleton = HUMAN36M, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints in px and confidence, some of which are missing in every way there is."""
    random = np.random.default_rng(seed)
    keypoints = random.uniform(50, 750, (size, skeleton.num_joints, 2)).astype(np.float32)
    confidence = random.uniform(0.1, 1.5, (size, skeleton.num_joints)).astype(np.float32)
    for i, wrong in enumerate((np.nan, np.inf, -np.inf)):
        keypoints[i % size, i, i % 2] = wrong
    for i, wrong in enumerate((0.0, -1.0, np.nan)):
        confidence[-1, -1 - i] = wrong
    return keypoints, confidence


def run_onnx(path: Path, keypoints: np.ndarray, confidence: np.ndarray) -> dict[str, np.ndarray]:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    given = {"keypoints": keypoints, "confidence": confidence, "image_size": np.array(SIZE, dtype=np.float32)}
    return dict(zip(names, session.run(None, given), strict=True))


def lifted(lift: Lifter, keypoints: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    return lift(np.concatenate([keypoints, confidence[..., None]], -1), SIZE, force=True).joints


def save_run(folder: Path, spec: dict, skeleton: Skeleton = HUMAN36M) -> Path:
    """A run of an untrained small model."""
    torch.manual_seed(0)
    model = getattr(models, spec["name"])(skeleton, **{k: v for k, v in spec.items() if k != "name"})
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    meta = {"config": {"model": spec}, "skeleton": skeleton.to_dict(), "in_channels": 2, "step": 0}
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint.save(folder / "last.safetensors", tensors, meta)
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_run(tmp_path_factory.mktemp("run"), {"name": "SimpleBaseline", "hidden_channels": 16, "num_layers": 1})


@pytest.fixture(scope="module")
def exported(run: Path) -> ExportSummary:
    return export(run, run / "deep" / "lifter.onnx")


@pytest.fixture(scope="module")
def everything() -> Plain:
    """Takes confidence and focal length, and gives its error."""
    torch.manual_seed(0)
    return Plain(error=True, in_channels=4)


@pytest.fixture(scope="module")
def summary(everything: Plain, tmp_path_factory: pytest.TempPathFactory) -> ExportSummary:
    """Of ``everything``; one file for many tests, as an export takes seconds."""
    return export_model(everything, WALKER, tmp_path_factory.mktemp("everything") / "a.onnx")


@pytest.fixture
def made_before(monkeypatch: pytest.MonkeyPatch) -> Callable[[ExportSummary], None]:
    """Has the next exports give the content of a file that is there, before it is checked."""
    replace = monkeypatch.setattr
    return lambda made: replace("skelgraph.lifting.onnx_export._onnx", lambda *given: made.path.read_bytes())


@pytest.mark.parametrize("size", [1, 2, 7])
def test_it_gives_what_the_lifter_gives(run: Path, exported: ExportSummary, size: int) -> None:
    given = frames(size, seed=size)
    found = run_onnx(exported.path, *given)
    assert list(found) == ["pose"] and found["pose"].dtype == np.float32
    np.testing.assert_allclose(found["pose"], lifted(skelgraph.load(run), *given), rtol=0, atol=1e-5)


def test_no_joint_and_no_frame(run: Path, exported: ExportSummary) -> None:
    keypoints, confidence = np.full((2, 17, 2), np.nan, np.float32), np.ones((2, 17), np.float32)
    expected = lifted(skelgraph.load(run), keypoints, confidence)
    np.testing.assert_allclose(run_onnx(exported.path, keypoints, confidence)["pose"], expected, rtol=0, atol=1e-5)
    assert run_onnx(exported.path, keypoints[:0], confidence[:0])["pose"].shape == (0, 17, 3)


def test_the_file_says_what_its_numbers_mean(exported: ExportSummary) -> None:
    session = ort.InferenceSession(exported.path, providers=["CPUExecutionProvider"])
    said = session.get_modelmeta().custom_metadata_map
    assert said == {
        "skeleton": HUMAN36M.name,
        "joints": json.dumps(HUMAN36M.joints),
        "origin": '["hip"]',
        "unit": "m",
        "axes": "x right, y down, z forward",
        "skelgraph": skelgraph.__version__,
    }
    assert {i.name: i.shape for i in session.get_inputs()} == {
        "keypoints": ["B", 17, 2],
        "confidence": ["B", 17],
        "image_size": [2],
    }
    assert [(o.name, o.shape, o.type) for o in session.get_outputs()] == [("pose", ["B", 17, 3], "tensor(float)")]


def test_one_file_that_does_not_tell_where_it_was_made(exported: ExportSummary) -> None:
    assert [path.name for path in exported.path.parent.iterdir()] == ["lifter.onnx"]
    content = exported.path.read_bytes()
    for place in (".py", str(Path(skelgraph.__file__).parent), str(Path(torch.__file__).parent), str(Path.home())):
        assert place.encode() not in content, place


def with_focal(path: Path, focal: float, keypoints: np.ndarray, confidence: np.ndarray) -> list[np.ndarray]:
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    given = {"keypoints": keypoints, "confidence": confidence, "image_size": np.array(SIZE, np.float32)}
    return session.run(None, {**given, "focal": np.array([focal], np.float32)})


def test_confidence_and_focal_length_as_channels(everything: Plain, summary: ExportSummary) -> None:
    assert summary.inputs["focal"] == (1,) and list(summary.outputs) == ["pose", "error"]
    keypoints, confidence = frames(4, WALKER)
    unknown = with_focal(summary.path, 0, keypoints, confidence)[0]
    np.testing.assert_allclose(unknown, lifted(Lifter(everything, WALKER), keypoints, confidence), rtol=0, atol=1e-5)
    for focal, share in ((500, 1), (0, 0.5)):
        assert np.abs(with_focal(summary.path, focal, keypoints, share * confidence)[0] - unknown).max() > 1e-3


@pytest.mark.slow  # a model of the package in place of ``everything``
@pytest.mark.parametrize(("name", "in_channels"), [("SimpleBaseline", 3), ("PartLifter", 4)])
def test_models_of_a_run_take_confidence_and_focal_length(name: str, in_channels: int, tmp_path: Path) -> None:
    run = save_run(tmp_path, {"name": name, "hidden_channels": 16, "num_layers": 1, "in_channels": in_channels})
    summary, given = export(run, tmp_path / "a.onnx"), frames(4)
    expected = lifted(skelgraph.load(run), *given)
    if in_channels == 3:
        found, other = (run_onnx(summary.path, given[0], given[1] / by)["pose"] for by in (1, 2))
    else:
        assert summary.inputs["focal"] == (1,) and list(summary.outputs) == ["pose", "error"]
        found, other = (with_focal(summary.path, focal, *given)[0] for focal in (0, 500))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    assert np.abs(found - other).max() > 1e-3


def test_the_error_is_mirrored_as_a_size(everything: Plain, summary: ExportSummary) -> None:
    keypoints = np.random.default_rng(0).uniform(0, 800, (2, 3, 2)).astype(np.float32)
    assert summary.outputs["error"] == ("B", 3, 3)
    found = with_focal(summary.path, 0, keypoints, np.ones((2, 3), np.float32))[1]
    x = torch.from_numpy(keypoints) / 500 - torch.tensor([1, 0.8])
    assert everything.head is not None
    with torch.no_grad():
        sizes = [everything.head(part).abs() for part in (x, x * torch.tensor([-1.0, 1.0]))]
    np.testing.assert_allclose(found, (sizes[0] + sizes[1]) / 2, rtol=0, atol=1e-5)
    assert (found > 0).all()


@pytest.mark.parametrize(
    "skeleton", [Skeleton("chain", ["a", "b", "c"], [-1, 0, 1]), pytest.param(WALKER, marks=pytest.mark.slow)]
)
def test_a_model_that_asks_for_the_length_of_its_input_with_and_without_a_mirror(
    skeleton: Skeleton, tmp_path: Path
) -> None:
    """The chain has no pairs, and so is not mirrored."""
    torch.manual_seed(0)
    model, given = tiny.TinyNet(skeleton), frames(3, skeleton)
    found = run_onnx(export_model(model, skeleton, tmp_path / "a.onnx").path, *given)["pose"]
    assert model.training
    np.testing.assert_allclose(found, lifted(Lifter(model, skeleton), *given), rtol=0, atol=1e-5)


def test_what_cannot_be_exported_is_told_and_nothing_is_written(
    tmp_path: Path, monkeypatch, everything: Plain, summary: ExportSummary, made_before: Callable
) -> None:
    path = tmp_path / "a.onnx"

    def refused(model: nn.Module, message: str, to: Path = path) -> None:
        with pytest.raises(ValueError, match=message):
            export_model(model, WALKER, to)
        assert not list(tmp_path.iterdir())

    clips = Plain()
    clips.num_frames, clips.input_kind = 9, "clip"
    refused(clips, "Plain takes clip of 9 frames; only single-frame models")
    refused(Choosy(), "Choosy cannot be exported for any number of frames B: .+")
    refused(Plain(), "ends in .onnx", tmp_path / "a.safetensors")
    refused(Plain(), "ends in .onnx", tmp_path)
    for name in ("onnx", "onnxscript", "onnxruntime"):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, name, None)
            refused(Plain(), rf"pip install 'skelgraph\[onnx\]'.*{name}")
    made_before(summary)
    with monkeypatch.context() as patch:
        patch.setattr("skelgraph.lifting.onnx_export.TOLERANCE", -1.0)
        refused(everything, "ONNX Runtime and PyTorch differ by .* nothing is written")
    nowhere = copy.deepcopy(everything)
    nowhere.head.bias.data.fill_(torch.nan)
    refused(nowhere, "differ by nan")


def test_a_full_disk_leaves_the_old_file(
    tmp_path: Path, monkeypatch, everything: Plain, summary: ExportSummary, made_before: Callable
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "a.onnx"
    path.write_text("old")
    made_before(summary)
    monkeypatch.setattr("skelgraph.files.atomic._write_and_sync", full)
    with pytest.raises(OSError, match="disk full"):
        export_model(everything, WALKER, path)
    assert path.read_text() == "old" and len(list(tmp_path.iterdir())) == 1


def test_a_run_that_is_not_there_or_damaged(run: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="none: no such"):
        export(tmp_path / "none", tmp_path / "a.onnx")
    (tmp_path / "last.safetensors").write_bytes((run / "last.safetensors").read_bytes()[:-3])
    with pytest.raises(ValueError, match="damaged"):
        export(tmp_path / "last.safetensors", tmp_path / "a.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["last.safetensors"]


def test_the_command(
    run: Path,
    exported: ExportSummary,
    made_before: Callable,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    made_before(exported)

    def said(status: int, *arguments: object) -> str:
        with pytest.raises(SystemExit) as stopped:
            main(["export", *map(str, arguments)])
        assert stopped.value.code == status
        shown = capsys.readouterr()
        return " ".join((shown.err if status else shown.out).split())

    text = said(0, run, tmp_path / "a.onnx", "--which", "last")
    assert "input: keypoints [B, 17, 2] float32" in text and "output: pose [B, 17, 3] float32" in text
    assert "largest difference between ONNX Runtime and PyTorch" in text and (tmp_path / "a.onnx").is_file()
    assert said(1, tmp_path / "none", tmp_path / "b.onnx").startswith("error:")
    assert "ends in .onnx" in said(1, run, tmp_path / "b")
    assert "last or best" in said(2, run, tmp_path / "b.onnx", "--which", "first")


@pytest.mark.slow
@pytest.mark.parametrize("name", keypoint_models())
@pytest.mark.parametrize("skeleton", [HUMAN36M, COCO_WHOLEBODY], ids=lambda s: f"{s.num_joints}")
def test_every_model(name: str, skeleton: Skeleton, tmp_path: Path) -> None:
    make = getattr(models, name)
    known = inspect.signature(make).parameters
    torch.manual_seed(0)
    model = make(skeleton, **{k: v for k, v in SMALL.items() if k in known}).eval()
    given = frames(4, skeleton)
    found = run_onnx(export_model(model, skeleton, tmp_path / "a.onnx").path, *given)
    np.testing.assert_allclose(found["pose"], lifted(Lifter(model, skeleton), *given), rtol=0, atol=1e-5)
