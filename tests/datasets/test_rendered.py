"""Rendered people: cameras and pictures agree, and one split has nothing of the other."""

from pathlib import Path
from typing import Any

import fake_mocap
import pytest
import torch
from torch.utils.data import Subset
from torch_geometric.loader import DataLoader

from skelgraph.datasets import Rendered
from skelgraph.datasets.rendering.figure import GROUP, GROUPS, LIMBS, clothes, limb_ends, paints
from skelgraph.errors import ContractError
from skelgraph.geometry.human36m import human36m_cameras
from skelgraph.skeleton.bones import center_on
from skelgraph.skeleton.builtin import COCO_WHOLEBODY, HUMAN36M, HUMAN36M_16

SERIALS = ("54138969", "55011271", "58860488", "60457274")


@pytest.fixture(autouse=True)
def mocap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_mocap.write(tmp_path)
    monkeypatch.setenv("SKELGRAPH_DATA", str(tmp_path))


def made(split: Any = "train", seed: int = 0, **options: Any) -> Rendered:
    return Rendered(HUMAN36M, split, seed, **{"num_poses": 6, "num_test_poses": 4, "frame_step": 1, **options})


def test_shapes() -> None:
    dataset = made(num_frames=3, size=80, cameras=["58860488", "54138969"])
    pictures = dataset.draw(0)
    assert len(dataset) == 6 and dataset.views == ("58860488", "54138969")
    assert pictures.images.shape == (6, 2, 3, 3, 80, 80) and pictures.images.dtype == torch.uint8
    assert pictures.keypoints.shape == (6, 2, 3, 17, 2) and pictures.target.shape == (6, 2, 3, 17, 3)
    assert pictures.inputs(3) is pictures.images and pictures.take(torch.tensor([4, 1])).target.shape[0] == 2
    assert set(pictures.action.tolist()) <= set(range(len(dataset.actions)))
    assert len(made("test", num_test_poses=10_000)) == 24  # the poses that there are


def test_it_is_a_function_of_seed_and_epoch() -> None:
    first = made().draw(3)
    assert all(torch.equal(a, b) for a, b in zip(first, made().draw(3), strict=True))
    for other in (made().draw(2), made(seed=1).draw(3)):
        assert not torch.equal(first.images, other.images) and not torch.equal(first.target, other.target)
    test = made("test")
    assert torch.equal(test.draw(0).images, test.draw(5).images)
    twice = made(redraw=2)
    assert torch.equal(twice.draw(2).images, twice.draw(3).images) and torch.equal(
        twice.draw(3).images, made().draw(1).images
    )
    assert not torch.equal(twice.draw(3).images, twice.draw(4).images)


@pytest.mark.parametrize("split", ["train", "test"])
def test_keypoints_are_the_poses_through_the_crops_own_camera(split: Any) -> None:
    pictures = made(split, area=1.5).draw(0)
    points = pictures.target + pictures.root.unsqueeze(-2)
    focal, center = pictures.focal[:, :, None, None], pictures.center[:, :, None, None]
    torch.testing.assert_close(focal * points[..., :2] / points[..., 2:] + center, pictures.keypoints)
    slack = 5 if split == "train" else 0  # crops are off by a little in training
    assert (pictures.keypoints > -slack).all() and (pictures.keypoints < 64 + slack).all()
    box = pictures.keypoints.flatten(2, 3)
    fills = (box.amax(2) - box.amin(2)).amax(-1) / 64
    assert (fills > 0.78).all() and (fills < 0.89).all()
    assert torch.equal(center_on(pictures.target, HUMAN36M.origin), pictures.target)


def test_all_views_show_one_body_in_the_rig_of_one_session() -> None:
    pictures, cameras = made("test").draw(0), human36m_cameras()
    points = (pictures.target + pictures.root.unsqueeze(-2)).double()
    apart = []
    for session in ("S8", "S10"):
        world = [cameras[f"{session}/{serial}"].to_world(points[:, v]) for v, serial in enumerate(SERIALS)]
        apart.append(torch.stack([(each - world[0]).abs().flatten(1).amax(1) for each in world]).amax(0))
    assert (torch.stack(apart).amin(0) < 1e-4).all()
    bone = (points[..., 1:, :] - points[..., torch.tensor(HUMAN36M.parents)[1:], :]).norm(dim=-1)
    torch.testing.assert_close(bone, bone[:, :1, :1].expand_as(bone), rtol=0, atol=1e-3)


def test_joints_lie_on_the_rendered_body(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before black, which nobody wears."""
    black = lambda count, size, *_: torch.zeros(count, 3, size, size, dtype=torch.uint8)  # noqa: E731
    monkeypatch.setattr("skelgraph.datasets.rendered.backgrounds", black)
    pictures = made("test", num_test_poses=24, num_frames=1).draw(0)
    on_body = (pictures.images > 0).any(3).flatten(0, 2)  # [N, H, W]
    column, row = pictures.keypoints.flatten(0, 2).long().unbind(-1)
    hit = torch.stack([body[r, c] for body, r, c in zip(on_body, row, column, strict=True)])
    assert float(hit.float().mean()) > 0.995
    assert 0.03 < float(on_body.float().mean()) < 0.3


def test_a_body_has_its_limbs_where_its_joints_are() -> None:
    names = ["hip", "spine", "thorax", "neck", "head"]
    names += [
        f"{s}_{j}" for s in ("left", "right") for j in ("hip", "knee", "ankle", "toe", "shoulder", "elbow", "wrist")
    ]
    joints = {name: [0.0, 0.0, 0.3 * i] for i, name in enumerate(names[:5])}
    for side, x in (("left", 0.2), ("right", -0.2)):
        joints |= {f"{side}_{j}": [x, 0.0, 0.1 * i] for i, j in enumerate(("hip", "knee", "ankle", "toe"))}
        joints |= {f"{side}_{j}": [x, 0.0, 1 - 0.2 * i] for i, j in enumerate(("shoulder", "elbow", "wrist"))}
    start, end = limb_ends(torch.tensor([joints[name] for name in names]), names)
    limbs = list(LIMBS)
    assert start[limbs.index("left_thigh")].tolist() == pytest.approx(joints["left_hip"])
    assert end[limbs.index("right_forearm")].tolist() == pytest.approx(joints["right_wrist"])
    # Whose left is +x and up is +z looks along -y.
    assert start[limbs.index("hair"), 1] > 0.03 and start[limbs.index("front"), 1] < -0.04
    with pytest.raises(ValueError, match="needs the joint left_toe"):
        limb_ends(torch.zeros(18, 3), [name for name in names if name != "left_toe"])


def test_the_splits_share_no_hue_of_clothes() -> None:
    hues = {}
    for split in ("train", "test"):
        color = paints((2000,), split, torch.Generator().manual_seed(0), (0.5, 1), (0.5, 1))  # type: ignore[arg-type]
        high, low = color.amax(1), color.amin(1)
        r, g, b = ((each - low) / (high - low) for each in color.unbind(1))
        sixth = torch.where(high == color[:, 0], (g - b) % 6, torch.where(high == color[:, 1], 2 + b - r, 4 + r - g))
        hues[split] = set((2 * sixth).long().tolist())
    assert hues["test"] == {0, 3, 6, 9} and hues["train"] == set(range(12)) - hues["test"]
    worn = clothes(50, "train", torch.Generator().manual_seed(0))
    assert worn.shape == (50, len(GROUPS), 3) and (worn >= 0).all() and (worn <= 1).all()
    assert len(GROUP) == len(LIMBS) and set(GROUP.tolist()) == set(range(len(GROUPS)))


def test_held_out_cameras_are_seen_in_the_test_alone() -> None:
    pair = SERIALS[3], SERIALS[2]
    assert made(held_out=pair).views == SERIALS[:2] and made("test", held_out=pair).views == pair
    assert made("test", held_out=pair).draw(0).images.shape[1] == 2


def test_clips_by_index_and_no_graphs() -> None:
    dataset = made()
    pictures = dataset.draw(0)
    batch = next(iter(DataLoader(Subset(dataset, [1, -1]), batch_size=2)))
    index = torch.tensor([1, 5])
    assert torch.equal(batch.images, pictures.images[index]) and torch.equal(batch.target, pictures.target[index])
    assert torch.equal(batch.action, pictures.action[index])
    with pytest.raises(IndexError):
        dataset[6]
    with pytest.raises(ContractError, match="Rendered gives images, which have no graphs"):
        dataset.graphs()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 32}, "size must be from 64 to 224"),
        ({"num_poses": 0}, "num_poses"),
        ({"area": 2.0}, "area must be"),
        ({"cameras": ["1"]}, "serial number '1'"),
        ({"cameras": [SERIALS[0]], "held_out": [SERIALS[0]]}, "no camera is left"),
        ({"cameras": [SERIALS[0], SERIALS[0]]}, "duplicate"),
    ],
)
def test_what_does_not_fit_is_told(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        made(**options)


def test_other_skeletons() -> None:
    assert Rendered(HUMAN36M_16, num_poses=2).draw(0).target.shape == (2, 4, 2, 16, 3)
    with pytest.raises(ValueError, match="has no joints"):
        Rendered(COCO_WHOLEBODY)
    with pytest.raises(ValueError, match="the model takes 2"):
        made(num_poses=1).draw(0).inputs(2)
