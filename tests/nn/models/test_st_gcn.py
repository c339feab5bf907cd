"""ST-GCN against its formulas written densely, and its graphs against the authors' description of them."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from skelgraph import Skeleton
from skelgraph.nn.models import STGCN, PoseRefinement
from skelgraph.nn.models.st_gcn import limb_graph
from skelgraph.skeleton.builtin import COCO_WHOLEBODY, HUMAN36M, HUMAN36M_16

ARMS_AND_LEGS = [[11, 12, 13], [14, 15, 16], [4, 5, 6], [1, 2, 3], [0, 7, 8, 9, 10]]
BONES = [(p, i) for i, p in enumerate(HUMAN36M.parents) if p >= 0]
FROM_SPINE = [1, 2, 3, 4, 2, 3, 4, 0, 1, 2, 3, 2, 3, 4, 2, 3, 4]  # hops to joint 7, as the authors list them
MIRRORED = [(6, 3), (5, 2), (4, 1), (11, 14), (12, 15), (13, 16)]


def groups(bones: list, pairs: list, hops: list[int], frames: int) -> Tensor:
    """[K, N, N] at (target, source): self, closer, farther, symmetric, forward, backward; rows sum to 1 over all K."""
    size = len(hops)
    kinds = torch.zeros(6, frames * size, frames * size, dtype=torch.float64)
    for frame in range(frames):
        at = frame * size
        for a, b in [*bones, *[(b, a) for a, b in bones]]:
            kinds[1 if hops[a] < hops[b] else 2, at + b, at + a] = 1
        for a, b in [*pairs, *[(b, a) for a, b in pairs]]:
            kinds[3, at + b, at + a] = 1
        for joint in range(at, at + size):
            kinds[0, joint, joint] = 1
            if frame:
                kinds[4, joint, joint - size] = 1
                kinds[5, joint - size, joint] = 1
    kinds = kinds / kinds.sum(0).sum(1, keepdim=True)
    return kinds[: 6 if frames > 1 else 4]


def batch_norm(norm: nn.Module, x: Tensor) -> Tensor:
    """x [..., C]."""
    return (x - norm.running_mean) / (norm.running_var + norm.eps).sqrt() * norm.weight + norm.bias


def linear(layer: nn.Module, x: Tensor) -> Tensor:
    return x @ layer.weight.t() + layer.bias


def block(part: Any, x: Tensor, kinds: Tensor) -> Tensor:
    h = sum(a @ (x @ part.conv.weight[:, k] + part.conv.typed_bias[k]) for k, a in enumerate(kinds))
    h = batch_norm(part.norm2, linear(part.linear, batch_norm(part.norm1, h).relu()))
    if isinstance(part.skip, nn.Sequential):
        h = h + batch_norm(part.skip[1], linear(part.skip[0], x))
    elif part.skip is not None:
        h = h + x
    return h.relu()


def oracle(model: STGCN, x: Tensor) -> Tensor:
    """x [B, T, 17, 2] -> [B, T, 17, 3]."""
    batch, frames = x.shape[:2]
    joints = groups(BONES, MIRRORED, FROM_SPINE, frames)
    limbs = groups([(4, i) for i in range(4)], [(0, 1), (2, 3)], [1, 1, 1, 1, 0], frames)
    h = batch_norm(model.data_norm, x.reshape(batch, frames, 34)).view(batch, frames * 17, 2)
    for part in model.blocks:
        h = block(part, h, joints)
    h = h.view(batch, frames, 17, -1)
    g = torch.stack([h[:, :, group].amax(2) for group in ARMS_AND_LEGS], dim=2).view(batch, frames * 5, -1)
    for part in model.limb_blocks:
        g = block(part, g, limbs)
    g = g.view(batch, frames, 5, -1)
    pooled = model.over_time(g.amax(2).transpose(1, 2)).transpose(1, 2)
    pooled = batch_norm(model.time_norm, pooled).relu()
    up = torch.zeros(batch, frames, 17, h.size(-1), dtype=x.dtype)
    for i, group in enumerate(ARMS_AND_LEGS):
        both = torch.cat([pooled, g[:, :, i]], dim=-1)
        up[:, :, group] = batch_norm(model.merge_norm, linear(model.merge, both)).relu().unsqueeze(2)
    h = torch.cat([h, up], dim=-1).view(batch, frames * 17, -1)
    look = model.look
    weight = (linear(look.query, h) @ linear(look.key, h).transpose(1, 2)).softmax(-1)
    h = h + batch_norm(look.norm, linear(look.project, weight @ linear(look.value, h)))
    return linear(model.head, h).view(batch, frames, 17, 3)


@pytest.mark.parametrize("frames", [1, 3, 7])
def test_dense_oracle(frames: int) -> None:
    torch.manual_seed(0)
    model = STGCN(HUMAN36M, num_frames=frames, hidden_channels=8).double().eval()
    for tensor in model.state_dict().values():
        if tensor.is_floating_point():
            tensor.add_(0.3 * torch.rand_like(tensor))
    x = torch.randn(3, frames, 17, 2, dtype=torch.float64)
    found = model(x if frames > 1 else x[:, 0]).view(3, frames, 17, 3)
    torch.testing.assert_close(found, oracle(model, x), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("skeleton", [HUMAN36M, HUMAN36M_16, COCO_WHOLEBODY], ids=lambda s: s.name)
def test_clips_and_their_graphs(skeleton: Skeleton) -> None:
    from torch_geometric.data import Batch

    torch.manual_seed(0)
    model = STGCN(skeleton, num_frames=3, hidden_channels=8).eval()
    x = torch.randn(2, 4, 3, skeleton.num_joints, 2)
    expected = model(x)
    assert expected.shape == (*x.shape[:-1], 3)
    torch.testing.assert_close(model(x[0, 0]), expected[0, 0], rtol=0, atol=1e-5)
    batch = Batch.from_data_list([skeleton.to_data(clip[1]) for clip in x.flatten(0, 1)])
    with pytest.raises(ValueError, match=r"x \[N, 3, 2\]"):
        model(batch)
    batch.x = x.flatten(0, 1).transpose(1, 2).flatten(0, 1)  # [N, T, C]
    found = model(batch)
    assert found.shape == (8 * skeleton.num_joints, 3, 3)
    in_frames = found.view(2, 4, skeleton.num_joints, 3, 3).transpose(2, 3)
    torch.testing.assert_close(in_frames, expected, rtol=0, atol=1e-5)
    with pytest.raises(ValueError, match="clips"):
        model(x[:, :, :2])


def test_limbs_of_any_skeleton() -> None:
    limbs, members = limb_graph(HUMAN36M, "spine")
    assert limbs.joints[0] == "torso" and {p for _, p in limbs.bones} == {1, 2, 3, 4}
    assert len(limbs.pairs) == 2 and sorted(sum(members, [])) == list(range(17))
    chain = Skeleton("chain", list("abcde"), [-1, 0, 1, 2, 3], limbs={"end": ["d", "e"]}, extra_edges=[("a", "e")])
    limbs, members = limb_graph(chain, "a")
    assert members == [[0, 1, 2], [3, 4]] and limbs.num_edges == 4


def test_center_norm_and_ties_are_choices() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 17, 2)
    outputs = []
    for options in ({}, {"center": "hip"}, {"norm": "group"}):
        torch.manual_seed(1)
        outputs.append(STGCN(HUMAN36M, hidden_channels=8, **options).eval()(x))
    assert not torch.equal(outputs[0], outputs[1]) and not torch.equal(outputs[0], outputs[2])
    ring = Skeleton("ring", list("abc"), [-1, 0, 0], extra_edges=[("b", "c")], pairs=())
    edges = [STGCN(ring, hidden_channels=8, ties=ties).topology.num_edges for ties in ("drop", "depth")]
    assert edges == [7, 9], "b - c, both one hop from a, is dropped"


def test_refinement_trusts_between_its_inputs() -> None:
    torch.manual_seed(0)
    refine = PoseRefinement(HUMAN36M).eval()
    pose, projected = torch.randn(2, 4, 17, 3), torch.randn(2, 4, 17, 3)
    found = refine(torch.cat([pose, projected], -1))
    assert torch.equal(found[..., 2], pose[..., 2]), "the depth is the predicted one"
    low, high = torch.minimum(pose, projected), torch.maximum(pose, projected)
    assert bool(((found >= low) & (found <= high))[..., :2].all())
    assert sum(p.numel() for p in refine.parameters()) == 140_322
