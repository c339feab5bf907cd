"""The authors' checkpoints become models of ours that give the authors' outputs."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import fake_mocap
import pytest
import torch
from torch import Tensor

import skelgraph
from skelgraph import Skeleton
from skelgraph.lifting.lifter import Lifter
from skelgraph.nn.models import (
    GCN,
    MSTR,
    STGCN,
    GraFormer,
    JointFormer,
    JointFormerRefinement,
    LargeSimpleBaseline,
    ModulatedGCN,
    SemGCN,
    SimpleBaseline,
)
from skelgraph.nn.output import as_output
from skelgraph.nn.published import SYSTEMS, from_published, plan_of
from skelgraph.skeleton.builtin import COCO_WHOLEBODY, HUMAN36M, HUMAN36M_16
from skelgraph.training import checkpoint
from skelgraph.training.convert import convert
from skelgraph.training.evaluate import evaluate


class Case(NamedTuple):
    fixture: str
    system: str
    skeleton: Skeleton
    arguments: dict[str, Any] = {}


FOUR = {"heads": 4}
CASES = [
    Case("SimpleBaseline_small", "simple_baseline", HUMAN36M_16),
    Case("SemGCN", "sem_gcn", HUMAN36M_16),
    Case("SemGCN_dropflag", "sem_gcn", HUMAN36M_16),
    Case("ModulatedGCN_benchmark_small", "modulated_gcn", HUMAN36M),
    Case("STGCN_single", "st_gcn", HUMAN36M),
    Case("GraFormer_small", "graformer", HUMAN36M_16),
    Case("JointFormer_17_d32_graphemb", "joint_former", HUMAN36M, FOUR),
    Case("JointFormer_17_d32_plain_pos", "joint_former", HUMAN36M, FOUR),
    Case("JointFormer_17_d32_interm_pos_small", "joint_former", HUMAN36M, FOUR),
    Case("JointFormer_refine_small", "joint_former_refinement", HUMAN36M, FOUR),
]


def poses(x: Tensor, num_joints: int) -> Tensor:
    """The authors' [B, J * C], [B, J, C] or [B, C, 1, J, 1] as [B, J, C]."""
    return x[:, :, 0, :, 0].transpose(1, 2) if x.dim() == 5 else x.view(len(x), num_joints, -1)


def outputs_of(output: Any) -> dict[str, Tensor]:
    """By the names that the fixtures give them."""
    if isinstance(output, Tensor):
        return {"y": output, "pose": output}
    named = {"pose": output.pose, "error": output.error, "enc": output.features}
    for name, each in (("pose", output.poses), ("error", output.errors)):
        named |= {} if each is None else {f"{name}.{i}": layer for i, layer in enumerate(each)}
    return named


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fixture)
def test_fixture(case: Case, authors: Callable, device: torch.device, record_property: Callable) -> None:
    fixture = authors(case.fixture)
    adjacency = fixture.meta["args"].get("adj")
    if adjacency is not None:
        edges = torch.tensor(adjacency).nonzero().t().flip(0)
        assert torch.equal(edges, case.skeleton.edge_index), "the authors' graph is not that of the skeleton"
    model = from_published(case.system, fixture.state, case.skeleton, **case.arguments).to(device)
    assert not model.training
    joints = case.skeleton.num_joints
    with torch.no_grad():
        found = outputs_of(model(poses(fixture.inputs["x"], joints).to(device)))
    errors = {}
    for name, expected in fixture.outputs.items():
        if name != "y_all":  # the middle frame of one frame
            errors[name] = float((found[name] - poses(expected, joints).to(device)).abs().max())
    what = f"{case.fixture}: largest absolute error (from_published{'' if device.type == 'cpu' else ', cuda'})"
    record_property(what, max(errors.values()))
    assert set(errors) >= {"y"} or set(errors) >= {"pose"} or set(errors) >= {"pose.0", "pose.1"}
    assert max(errors.values()) <= 1e-5, errors


def authors_names(system: str, skeleton: Skeleton, model: torch.nn.Module) -> dict[str, Tensor]:
    """The state dict that the authors' code would have for a model of ours: the rules, the other way round.

    Found by filling what each rule reads with numbers until the tensors of ours come out, which only works for rules
    that copy, transpose, slice or join: all of them do.
    """
    probe = PROBES[system]()
    plan, _ = plan_of(system, probe, skeleton, ARGUMENTS.get(system, {}))
    state = {name: tensor.clone() for name, tensor in probe.items()}
    for ours, (theirs, make) in plan.rules.items():
        parts = [torch.arange(state[name].numel()).view(state[name].shape) for name in theirs]
        target = model.state_dict()[ours]
        for k, name in enumerate(theirs):
            others = [torch.full_like(part, -1) if i != k else part for i, part in enumerate(parts)]
            where = make(*others).reshape(-1)
            chosen = where >= 0
            flat = state[name].view(-1)
            flat[where[chosen]] = target.reshape(-1)[chosen].to(flat.dtype)
    return state


def batch_norm(name: str, channels: int) -> dict[str, Tensor]:
    keys = ("weight", "bias", "running_mean", "running_var")
    return {f"{name}.{key}": torch.zeros(channels) for key in keys} | {f"{name}.num_batches_tracked": torch.tensor(0)}


def linear(name: str, rows: int, columns: int, *more: int) -> dict[str, Tensor]:
    return {f"{name}.weight": torch.zeros(rows, columns, *more), f"{name}.bias": torch.zeros(rows)}


def sem_conv(name: str, rows: int, columns: int, channel_wise: bool) -> dict[str, Tensor]:
    logit = torch.zeros(columns if channel_wise else 1, HUMAN36M_16.num_edges)
    return {f"{name}.W": torch.zeros(2, rows, columns), f"{name}.e": logit, f"{name}.bias": torch.zeros(columns)}


def h3wb_simple_baseline() -> dict[str, Tensor]:
    state = linear("upscale", 8, 266) | linear("outputlayer", 399, 8)
    for i in range(1, 5):
        state |= linear(f"fc{i}", 8, 8) | batch_norm(f"bn{i}", 8)
    return state


def h3wb_large_simple_baseline() -> dict[str, Tensor]:
    state = linear("upscale", 8, 266) | linear("pose3d", 399, 8)
    for i in range(1, 4):
        state |= linear(f"res_{i}.l1", 8, 8) | linear(f"res_{i}.l2", 8, 8)
    return state


def sem_gcn_non_local(key: str = "nonlocal", channel_wise: bool = True) -> dict[str, Tensor]:
    state = sem_conv("gconv_output", 8, 3, channel_wise)
    units = {"gconv_input.0": 2} | {f"gconv_layers.{2 * i}.gconv{k}": 8 for i in range(2) for k in (1, 2)}
    for name, channels in units.items():
        state |= sem_conv(f"{name}.gconv", channels, 8, channel_wise) | batch_norm(f"{name}.bn", 8)
    for name in (f"gconv_input.1.{key}", *(f"gconv_layers.{2 * i + 1}.{key}" for i in range(2))):
        state |= linear(f"{name}.g.0", 4, 8, 1) | linear(f"{name}.theta", 4, 8, 1) | linear(f"{name}.phi.0", 4, 8, 1)
        state |= linear(f"{name}.W.0", 8, 4, 1) | batch_norm(f"{name}.W.1", 8)
        state[f"{name}.concat_project.0.weight"] = torch.zeros(1, 8, 1, 1)
    return state


def st_gcn_multi_frame() -> dict[str, Tensor]:
    state = batch_norm("data_bn", 34)
    blocks = [("st_gcn_networks.0", 2, 8), ("st_gcn_networks.1", 8, 8), ("st_gcn_networks.2", 8, 16)]
    for name, rows, columns in (*blocks, ("st_gcn_pool.0", 16, 32), ("st_gcn_pool.1", 32, 32)):
        state |= linear(f"{name}.gcn.conv", 6 * columns, rows, 1, 1) | batch_norm(f"{name}.tcn.0", columns)
        state |= linear(f"{name}.tcn.3", columns, columns, 1, 1) | batch_norm(f"{name}.tcn.4", columns)
        if rows not in (2, columns):
            state |= linear(f"{name}.residual.0", columns, rows, 1, 1) | batch_norm(f"{name}.residual.1", columns)
    state |= linear("conv4.0", 32, 32, 3, 1) | batch_norm("conv4.1", 32)
    state |= linear("conv2.0", 16, 64, 1, 1) | batch_norm("conv2.1", 16) | linear("fcn.1", 3, 32, 1, 1)
    for name in ("g", "theta", "phi"):
        state |= linear(f"non_local.{name}", 16, 32, 1, 1)
    return state | linear("non_local.W.0", 32, 16, 1, 1) | batch_norm("non_local.W.1", 32)


def joint_former_flat() -> dict[str, Tensor]:
    """Linear embedding, no error, no intermediate predictions."""
    state = linear("embedding", 17 * 8, 17 * 2) | linear("layer_norm", 8, 1) | linear("decoder.2", 51, 136)
    state |= {"decoder.0.weight": torch.zeros(136), "decoder.0.bias": torch.zeros(136)}
    state["layer_norm.weight"] = torch.zeros(8)
    for i in range(2):
        name = f"layer_stack.{i}"
        for key in ("w_qs", "w_ks", "w_vs"):
            state[f"{name}.slf_attn.{key}.weight"] = torch.zeros(16, 8)
        state[f"{name}.slf_attn.fc.weight"] = torch.zeros(8, 16)
        state |= linear(f"{name}.pos_ffn.w_1", 12, 8) | linear(f"{name}.pos_ffn.w_2", 8, 12)
        for norm in (f"{name}.slf_attn.layer_norm", f"{name}.pos_ffn.layer_norm"):
            state |= {f"{norm}.weight": torch.zeros(8), f"{norm}.bias": torch.zeros(8)}
    return state


ARGUMENTS = {"joint_former": {"heads": 2}, "st_gcn": {"num_frames": 5}}
PROBES: dict[str, Callable[[], dict[str, Tensor]]] = {
    "simple_baseline": h3wb_simple_baseline,
    "large_simple_baseline": h3wb_large_simple_baseline,
    "sem_gcn": sem_gcn_non_local,
    "st_gcn": st_gcn_multi_frame,
    "joint_former": joint_former_flat,
}
TWINS: dict[str, Callable[[], torch.nn.Module]] = {
    "simple_baseline": lambda: SimpleBaseline(COCO_WHOLEBODY, hidden_channels=8, input_unit=False),
    "large_simple_baseline": lambda: LargeSimpleBaseline(COCO_WHOLEBODY, hidden_channels=8),
    "sem_gcn": lambda: SemGCN(HUMAN36M_16, hidden_channels=8, num_layers=2, channel_wise=True, non_local=True),
    "st_gcn": lambda: STGCN(HUMAN36M, hidden_channels=8, num_frames=5),
    "joint_former": lambda: JointFormer(
        HUMAN36M,
        hidden_channels=8,
        num_layers=2,
        heads=2,
        head_channels=8,
        ffn_channels=12,
        embedding="linear",
        intermediate=False,
        error=False,
    ),
}


@pytest.mark.parametrize("system", PROBES)
def test_forms_without_a_fixture_go_round(system: str) -> None:
    """Names and shapes of the authors' other forms, filled with the weights of a model of ours, give that model."""
    torch.manual_seed(0)
    twin = TWINS[system]()
    with torch.no_grad():
        for tensor in twin.state_dict().values():
            if tensor.is_floating_point():
                tensor.add_(0.1 * torch.rand_like(tensor))
    state = authors_names(system, twin.skeleton, twin)
    model = from_published(system, state, twin.skeleton, **ARGUMENTS.get(system, {}))
    assert type(model) is type(twin)
    for name, tensor in twin.state_dict().items():
        assert torch.equal(model.state_dict()[name], tensor), name
    frames = [5] if system == "st_gcn" else []
    x = torch.randn(4, *frames, twin.skeleton.num_joints, 2)
    with torch.no_grad():
        expected, found = twin.eval()(x), model(x)
    pairs = [(found, expected)] if isinstance(found, Tensor) else [(found.pose, expected.pose)]
    assert all(torch.equal(a, b) for a, b in pairs)


def any_state() -> dict[str, Tensor]:
    return h3wb_large_simple_baseline()


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: {f"module.{name}": tensor for name, tensor in state.items()},
        lambda state: {"epoch": 3, "state_dict": state, "optimizer": {"lr": 0.1}},
        lambda state: {"state_dict": {f"module.{name}": tensor for name, tensor in state.items()}},
        lambda state: {"model_pos": state},
        lambda state: {name: tensor.numpy() for name, tensor in state.items()},
    ],
    ids=["module", "wrapper", "both", "model_pos", "numpy"],
)
def test_wrappings_are_taken_off(wrap: Callable) -> None:
    plain = from_published("large_simple_baseline", any_state(), COCO_WHOLEBODY)
    wrapped = from_published("large_simple_baseline", wrap(any_state()), COCO_WHOLEBODY)
    assert all(torch.equal(a, b) for a, b in zip(plain.parameters(), wrapped.parameters(), strict=True))


def test_the_older_name_of_the_non_local_layer_is_known() -> None:
    model = from_published("sem_gcn", sem_gcn_non_local("nl", channel_wise=False), HUMAN36M_16)
    assert len([m for m in model.modules() if type(m).__name__ == "NonLocal"]) == 3


def test_joint_groups_are_an_argument() -> None:
    groups = [[0, 1], [2, 3], ["left_hip", "left_knee"], [6, 7], [8, 9], [10, 11], [12, 13], [14, 15]]
    model = from_published("sem_gcn", sem_gcn_non_local(), HUMAN36M_16, groups=groups)
    assert model.input_look.group_index[2].tolist() == [4, 5]


def test_old_checkpoints_count_no_batches() -> None:
    state = {k: v for k, v in h3wb_simple_baseline().items() if not k.endswith("num_batches_tracked")}
    from_published("simple_baseline", state, COCO_WHOLEBODY)


@pytest.mark.parametrize(
    ("system", "change", "said"),
    [
        ("large_simple_baseline", lambda s: s.pop("res_2.l1.bias"), ["res_2.l1.bias is missing"]),
        ("large_simple_baseline", lambda s: s.update(extra=torch.ones(1)), ["extra is not used"]),
        ("large_simple_baseline", lambda s: s.update({"pose3d.bias": torch.ones(51)}), ["pose3d.bias [51]", "[399]"]),
        ("large_simple_baseline", lambda s: s.pop("upscale.weight"), ["no tensor 'upscale.weight'", "begins with"]),
        ("large_simple_baseline", lambda s: s.update(epoch=3), ["tensors by name", "'epoch'"]),
        ("large_simple_baseline", lambda s: s.clear(), ["found none"]),
    ],
)
def test_what_does_not_fit_is_listed(system: str, change: Callable, said: list[str]) -> None:
    state = PROBES[system]()
    change(state)
    with pytest.raises(ValueError) as error:
        from_published(system, state, COCO_WHOLEBODY)
    assert all(text in str(error.value) for text in said), error.value


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="unknown system 'semgcn'; known are simple_baseline"):
        from_published("semgcn", {}, HUMAN36M)
    with pytest.raises(ValueError, match="joint_former has no argument 'head'; its arguments are heads"):
        from_published("joint_former", joint_former_flat(), HUMAN36M, head=2)
    with pytest.raises(ValueError, match="multiple of heads 5"):
        from_published("joint_former", joint_former_flat(), HUMAN36M, heads=5)
    with pytest.raises(ValueError, match="multi-frame model; num_frames is 1"):
        from_published("st_gcn", st_gcn_multi_frame(), HUMAN36M, num_frames=1)
    with pytest.raises(ValueError, match=r"gconv_output.e \[3, 46\] would give \[46, 3\], not \[49, 3\]"):
        from_published("sem_gcn", sem_gcn_non_local(), HUMAN36M)


def test_every_system_has_a_model() -> None:
    made = {SimpleBaseline, LargeSimpleBaseline, SemGCN, ModulatedGCN, STGCN, GraFormer, JointFormer}
    assert len(SYSTEMS) == len(made | {JointFormerRefinement, MSTR}) and GCN not in made  # GCN has no authors
    assert {case.system for case in CASES} | set(PROBES) | {"mstr"} == set(SYSTEMS)  # images: models/test_mstr.py


def test_a_converted_file_lifts(tmp_path: Path) -> None:
    torch.manual_seed(0)
    twin = TWINS["large_simple_baseline"]()
    state = authors_names("large_simple_baseline", COCO_WHOLEBODY, twin)
    torch.save({"epoch": 3, "state_dict": state}, tmp_path / "authors.pth.tar")
    out = tmp_path / "ours" / "large.safetensors"
    convert("large_simple_baseline", tmp_path / "authors.pth.tar", out, COCO_WHOLEBODY)
    keypoints = torch.rand(3, 133, 2).numpy() * 500
    found = skelgraph.load(out)(keypoints, image_size=(640, 480), force=True)  # no person, only noise
    expected = Lifter(twin.eval(), COCO_WHOLEBODY)(keypoints, image_size=(640, 480), force=True)
    assert (found.joints == expected.joints).all()
    with pytest.raises(FileExistsError, match="large.safetensors"):
        convert("large_simple_baseline", tmp_path / "authors.pth.tar", out, COCO_WHOLEBODY)


@pytest.mark.parametrize("system", ["joint_former", "joint_former_refinement", "st_gcn"])
def test_arguments_are_kept_in_a_converted_file(system: str, tmp_path: Path) -> None:
    state = joint_former_flat() if system == "joint_former" else st_gcn_multi_frame()
    if system == "joint_former_refinement":
        state = joint_former_flat() | linear("embedding", 8, 8, 1)
    torch.save(state, tmp_path / "a.pt")
    arguments = {"num_frames": 5} if system == "st_gcn" else {"heads": 4}
    made = convert(system, tmp_path / "a.pt", tmp_path / "b.safetensors", HUMAN36M, **arguments)
    model, skeleton, _ = checkpoint.load_run(tmp_path / "b.safetensors")
    assert skeleton == HUMAN36M and type(model) is type(made) and not model.training
    frames = [5] if system == "st_gcn" else []
    x = torch.randn(2, *frames, 17, made.in_channels)
    assert torch.equal(as_output(model(x)).pose, as_output(made(x)).pose)


class Bomb:
    def __reduce__(self) -> tuple:
        return (os.mkdir, ("bombed",))


def test_files_of_strangers_run_no_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": h3wb_large_simple_baseline(), "args": Bomb()}, "bomb.pt")
    (tmp_path / "noise.pth").write_bytes(b"no checkpoint at all")
    (tmp_path / "noise.safetensors").write_bytes(b"no checkpoint at all")
    torch.save([torch.ones(1)], "list.pt")
    for name, said in (
        ("bomb.pt", "more than tensors"),
        ("noise.pth", "noise.pth"),
        ("noise.safetensors", "damaged"),
        ("list.pt", "holds a list"),
    ):
        with pytest.raises(ValueError, match=said):
            convert("large_simple_baseline", name, "out.safetensors", COCO_WHOLEBODY)
    with pytest.raises(FileNotFoundError, match="absent.pt"):
        convert("large_simple_baseline", "absent.pt", "out.safetensors", COCO_WHOLEBODY)
    with pytest.raises(ValueError, match="ends in .safetensors"):
        convert("large_simple_baseline", "list.pt", "out.pt", COCO_WHOLEBODY)
    assert not (tmp_path / "bombed").exists() and not (tmp_path / "out.safetensors").exists()


def test_a_converted_file_is_evaluated_on_data_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKELGRAPH_DATA", str(tmp_path))
    fake_mocap.write(tmp_path)
    torch.save(joint_former_flat(), tmp_path / "a.pt")
    convert("joint_former", tmp_path / "a.pt", tmp_path / "b.safetensors", HUMAN36M)
    with pytest.raises(ValueError, match="names no data.*data.name=MotionCapture"):
        evaluate(tmp_path / "b.safetensors")
    metrics = evaluate(tmp_path / "b.safetensors", overrides=["data.name=MotionCapture"])
    assert metrics["poses"] == 24 and metrics["mpjpe_mm"] > 0 and "mean_pose" not in metrics
