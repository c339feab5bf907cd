"""MultiViewLifter."""

import torch
from torch import Tensor, nn
from torch.nn import Parameter, functional

from skelgraph.geometry.rays import Agreement, consensus, nearest, nearest_robustly
from skelgraph.nn.blocks.ray_points import NUM_FEATURES, RayPoints, describe, misses
from skelgraph.nn.inputs import RAY_CHANNELS
from skelgraph.nn.layers import PartitionConv, SemAttention, Topology
from skelgraph.nn.models.pose_model import SkeletonModel
from skelgraph.skeleton import Skeleton

PLAIN_CHANNELS = 3
_GATE_BIAS = -2.0  # gates start at 0.12
_MOST_TRUST = 4.0


class GraphBlock(nn.Module):
    r"""A pre-norm block on the skeleton: [N, J, C] -> [N, J, C].

    .. math:: h = x + \mathrm{SemAttn}(\mathrm{LN}(x)), \quad y = h + W\, \sigma(\mathrm{PartitionConv}(\mathrm{LN}(h)))
    """

    def __init__(self, channels: int, heads: int, topology: Topology) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(channels)
        self.attention = SemAttention(channels, channels, topology.num_edges, heads)
        self.norm2 = nn.LayerNorm(channels)
        self.conv = PartitionConv(channels, channels, topology.num_types)
        self.out = nn.Linear(channels, channels)

    def forward(self, x: Tensor, topology: Topology) -> Tensor:
        x = x + self.attention(self.norm1(x), topology)
        return x + self.out(functional.gelu(self.conv(self.norm2(x), topology)))


class AxisAttention(nn.Module):
    r"""Pre-norm self-attention along views or frames: [N, L, C] -> [N, L, C].

    .. math:: Y = X + W \mathrm{softmax}\!\left(Q K^\top / \sqrt d - s_h |i - j|\right) V

    With ``distance`` each head has a slope s of its own (as in ALiBi, Press et al. 2022, but learned), so that there
    may be any number of frames; without, s = 0 and the order plays no part.
    """

    def __init__(self, channels: int, heads: int, distance: bool) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(channels)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.out = nn.Linear(channels, channels)
        self.slope = Parameter(torch.linspace(-1.0, 1.0, heads)) if distance else None

    def forward(self, x: Tensor, seen: Tensor | None = None) -> Tensor:
        """``seen`` [N, L] is True where there is something to look at."""
        query, key, value = self.qkv(self.norm(x)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        score = query @ key.mT / query.size(-1) ** 0.5
        if self.slope is not None:
            place = torch.arange(x.size(1), device=x.device)
            apart = (place - place.unsqueeze(1)).abs()
            score = score - functional.softplus(self.slope)[:, None, None] * apart
        if seen is not None:
            score = score.masked_fill(~seen[:, None, None], torch.finfo(score.dtype).min)
        return x + self.out((score.softmax(-1) @ value).transpose(1, 2).flatten(2))


class MultiViewLifter(SkeletonModel):
    r"""Poses of a clip from the keypoints of several cameras: triangulation that learns whom to trust.

    The keypoint twin of MSTR: as there, each view is encoded by itself, here on the skeleton's graph (semantic
    attention and the partitioned convolution), then views attend to one another and frames attend to one another. With
    cameras known, what is learned is how to triangulate: the weight of each ray, and then a correction,

    .. math:: X^0 = \arg\min_X \sum_v w_v \lVert (I - d_v d_v^\top)(X - o_v) \rVert^2, \quad
        X = X^0 + g\, (\tilde X^0 - X^0) + h\, (\hat X - X^0) + s\, \Delta

    with w the weight that Huber's regression gives the ray times what its token says, :math:`\tilde X^0` the median of
    five frames, :math:`\hat X` where the rays of a consensus meet (both at most 20 s away), and s the median by which
    the clip's rays miss the points, which is 0 where keypoints are exact: exact keypoints are triangulated exactly. A
    joint that fewer than two views see gets its place from the other joints and frames, with s = 0.2 m.

    Nothing depends on the order or number of views, or on the number of frames; joints with confidence 0 are masked.
    Without cameras the answer has the first view's axes and is relative to the skeleton's origin.

    Args:
        skeleton: the skeleton of input and output.
        in_channels: 9: x, y, confidence and ray, see :func:`skelgraph.nn.inputs.multiview_input`; 3: no ray.
        out_channels: 3.
        num_frames: T of the clips that it is trained on and windows of longer ones are cut to.
        hidden_channels: C.
        view_layers: graph blocks on each view.
        num_layers: graph blocks and attentions in time after the views have been put together.
        heads: of every attention.

    Shapes:
        - **input:** [B, V, T, J, C_in], any V and T
        - **output:** [B, T, J, 3] m; the world's axes, or the first view's, relative to the origin

    Raises:
        ValueError: if ``in_channels`` is neither 3 nor 9, or an input has another shape.
    """

    input_kind = "views"

    def __init__(
        self,
        skeleton: Skeleton,
        in_channels: int = RAY_CHANNELS,
        out_channels: int = 3,
        *,
        num_frames: int = 9,
        hidden_channels: int = 64,
        view_layers: int = 1,
        num_layers: int = 3,
        heads: int = 4,
    ) -> None:
        super().__init__(skeleton, in_channels, out_channels, num_frames=num_frames)
        if in_channels not in (PLAIN_CHANNELS, RAY_CHANNELS):
            raise ValueError(f"in_channels must be 3 (x, y, confidence) or 9 (with rays), found {in_channels}")
        if out_channels != 3:
            raise ValueError(f"out_channels must be 3, found {out_channels}")
        self.calibrated = in_channels == RAY_CHANNELS
        self.topology = Topology(skeleton.edge_index, skeleton.edge_type, skeleton.num_joints)
        width = hidden_channels
        self.embed = nn.Linear(RAY_CHANNELS if self.calibrated else PLAIN_CHANNELS, width)
        self.joint = Parameter(0.02 * torch.randn(skeleton.num_joints, width))
        self.view_blocks = nn.ModuleList(GraphBlock(width, heads, self.topology) for _ in range(view_layers))
        self.across_views = AxisAttention(width, heads, distance=False)
        if self.calibrated:
            self.trust = nn.Linear(width, 1)
            nn.init.zeros_(self.trust.weight)
            nn.init.zeros_(self.trust.bias)
            self.start = nn.Linear(NUM_FEATURES, width)
        else:
            self.first_view = Parameter(0.02 * torch.randn(width))
        self.blocks = nn.ModuleList(GraphBlock(width, heads, self.topology) for _ in range(num_layers))
        self.across_time = nn.ModuleList(AxisAttention(width, heads, distance=True) for _ in range(num_layers))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 5 if self.calibrated else 3)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        if x.dim() != 5 or x.shape[3:] != (self.skeleton.num_joints, self.in_channels):
            raise ValueError(
                f"MultiViewLifter takes [B, V, T, {self.skeleton.num_joints}, {self.in_channels}] of "
                f"{self.skeleton.name}, not {list(x.shape)}"
            )
        seen = x[..., 2] > 0
        if self.calibrated:
            guess = nearest_robustly(x[..., 3:6], x[..., 6:], x[..., 2])
            tokens = self.views_of(torch.cat([x[..., :3], _told(x, guess), x[..., 6:]], -1), seen)
            start = self.triangulate(tokens, x, guess)
            found = self.over_time(_mean(tokens, seen) + self.start(start.features))
            smooth, agree = (found[..., 3:] + _GATE_BIAS).sigmoid().split(1, -1)
            return start.points + smooth * start.to_smooth + agree * start.to_consensus + start.scale * found[..., :3]
        return self.over_time(_mean(self.views_of(x, seen), seen))

    def views_of(self, x: Tensor, seen: Tensor) -> Tensor:
        """Tokens [B, V, T, J, C] of each joint in each view, after views have attended to one another."""
        h = self.embed(x) + self.joint
        if not self.calibrated:
            h = torch.cat([h[:, :1] + self.first_view, h[:, 1:]], 1)
        shape = h.shape
        h = h.flatten(0, 2)
        for block in self.view_blocks:
            h = block(h, self.topology)
        h = h.view(shape).movedim(1, 3)  # [B, T, J, V, C]
        h = self.across_views(h.flatten(0, 2), seen.movedim(1, 3).flatten(0, 2))
        return h.view(shape[0], *shape[2:4], shape[1], -1).movedim(3, 1)

    def triangulate(self, tokens: Tensor, x: Tensor, guess: Agreement) -> RayPoints:
        """Where the rays meet when each token says by what the guess's pull of its ray is to be multiplied."""
        center, direction = x[..., 3:6], x[..., 6:]
        trust = self.trust(tokens).squeeze(-1).clamp(-_MOST_TRUST, _MOST_TRUST).exp()
        points, met = nearest(center, direction, trust * guess.pull)
        agreed = consensus(center, direction, x[..., 2], guess).points
        return describe(points, met, agreed, misses(x, points.detach(), met)[1], self.skeleton)

    def over_time(self, h: Tensor) -> Tensor:
        """What the head makes of tokens [B, T, J, C], after graph blocks and attention in time: [B, T, J, 3 or 5]."""
        shape = h.shape
        h = h + self.joint
        for block, across_time in zip(self.blocks, self.across_time, strict=True):
            h = block(h.flatten(0, 1), self.topology).view(shape).transpose(1, 2)
            h = across_time(h.flatten(0, 1)).view(shape[0], shape[2], shape[1], -1).transpose(1, 2)
        return self.head(self.norm(h))


def _told(x: Tensor, guess: Agreement) -> Tensor:
    """How each ray misses the first guess, in units of the clip's median, [B, V, T, J, 3]; 0 where there is none."""
    across, spread = misses(x, guess.points, guess.decided)
    return torch.where(guess.decided[:, None, ..., None], torch.asinh(across / spread[:, None, None, None, None]), 0)


def _mean(tokens: Tensor, seen: Tensor) -> Tensor:
    """The mean [B, T, J, C] of the tokens [B, V, T, J, C] of those views that see the joint; 0 where none does."""
    weight = seen.unsqueeze(-1).to(tokens)
    return (tokens * weight).sum(1) / weight.sum(1).clamp_min(1)
