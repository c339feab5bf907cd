"""MSTR."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import Parameter, functional

from skelgraph.nn.layers import SelfAttention, WindowAttention
from skelgraph.nn.models.pose_model import SkeletonModel
from skelgraph.nn.output import PoseOutput
from skelgraph.skeleton import Skeleton

Tokens = Literal["all", "time", "view", "time+view", "image"]

SPACE_MLP, RELATION_MLP = 4, 2  # hidden channels of the feed-forward networks, in multiples of C
EPS = 1e-6  # of the relation's layer norms, in the authors' code


class PatchEmbedding(nn.Module):
    """Patches as cells of a grid: [N, C_in, H, W] -> [N, h, w, C]; zeros fill what the last patches lack."""

    def __init__(self, in_channels: int, channels: int, size: int) -> None:
        super().__init__()
        self.size = size
        self.conv = nn.Conv2d(in_channels, channels, size, stride=size)
        self.norm = nn.LayerNorm(channels)

    def forward(self, images: Tensor) -> Tensor:
        images = functional.pad(images, (0, -images.size(-1) % self.size, 0, -images.size(-2) % self.size))
        return self.norm(self.conv(images).permute(0, 2, 3, 1))


class Block(nn.Module):
    r"""A pre-norm Transformer block, on a grid or a sequence by the attention it is given: [N, ..., C] -> same.

    .. math:: h = x + \mathrm{Attn}(\mathrm{LN}(x)), \quad y = h + \mathrm{MLP}(\mathrm{LN}(h))

    In training each sum is left out of ``drop_path`` of the N samples, and enlarged for the others.
    """

    def __init__(self, attention: nn.Module, channels: int, ratio: int, drop_path: float, eps: float = 1e-5) -> None:
        super().__init__()
        self.drop_path = drop_path
        self.norm1 = nn.LayerNorm(channels, eps)
        self.attention = attention
        self.norm2 = nn.LayerNorm(channels, eps)
        self.mlp = nn.Sequential(
            nn.Linear(channels, ratio * channels), nn.GELU(), nn.Linear(ratio * channels, channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.some(self.attention(self.norm1(x)))
        return x + self.some(self.mlp(self.norm2(x)))

    def some(self, x: Tensor) -> Tensor:
        return x * functional.dropout(x.new_ones(len(x), *[1] * (x.dim() - 1)), self.drop_path, self.training)


class PatchMerging(nn.Module):
    """Each 2 x 2 cells become one: [N, h, w, C] -> [N, h / 2, w / 2, 2 * C]; zeros fill an odd row or column."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * channels)
        self.linear = nn.Linear(4 * channels, 2 * channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.pad(x, (0, 0, 0, x.size(2) % 2, 0, x.size(1) % 2))
        x = x.unflatten(2, (-1, 2)).unflatten(1, (-1, 2)).permute(0, 1, 3, 4, 2, 5)  # [N, h / 2, w / 2, 2, 2, C]
        return self.linear(self.norm(x.flatten(3)))


class SwinTransformer(nn.Module):
    """The spatial module: each image by itself, [N, C_in, H, W] -> [N, 2^(S - 1) * C] after S stages.

    Every second block of a stage has its windows shifted by half a window; the stages are joined by merged patches,
    and the cells of the last are averaged.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        patch_size: int,
        depths: Sequence[int],
        heads: Sequence[int],
        window_size: int,
        drop_path: float,
    ) -> None:
        super().__init__()
        self.embed = PatchEmbedding(in_channels, channels, patch_size)
        rates = iter(torch.linspace(0, drop_path, sum(depths)).tolist())
        layers: list[nn.Module] = []
        for stage, (depth, count) in enumerate(zip(depths, heads, strict=True)):
            if stage:
                layers.append(PatchMerging(channels))
                channels *= 2
            for i in range(depth):
                attention = WindowAttention(channels, channels, count, window_size, window_size // 2 * (i % 2))
                layers.append(Block(attention, channels, SPACE_MLP, next(rates)))
        self.layers = nn.Sequential(*layers)
        self.norm = nn.LayerNorm(channels)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, images: Tensor) -> Tensor:
        return self.norm(self.layers(self.embed(images))).mean((1, 2))


class FrameImageRelation(nn.Module):
    """The frame-image relation module: images attend to one another, [B, V, T, C] -> [B, V, T, C].

    Args:
        channels: C.
        num_layers: how many blocks.
        heads: H.
        drop_path: see :class:`Block`; it grows from 0 to this.
        tokens: see :class:`MSTR`.
        position: see :class:`MSTR`.
    """

    def __init__(
        self,
        channels: int,
        num_layers: int,
        heads: int,
        drop_path: float,
        tokens: Tokens,
        position: tuple[int, int] | None,
    ) -> None:
        super().__init__()
        if num_layers < len(tokens.split("+")):
            raise ValueError(f"tokens {tokens} need a block each; num_layers is {num_layers}")
        self.tokens = (tokens.split("+") * num_layers)[:num_layers]  # of each block
        self.view_position = self.frame_position = None
        if position is not None:
            views, frames = position
            self.view_position = Parameter(0.02 * torch.randn(views, 1, channels))
            self.frame_position = Parameter(0.02 * torch.randn(frames, channels))
        self.blocks = nn.ModuleList(
            Block(SelfAttention(channels, channels, heads), channels, RELATION_MLP, rate, EPS)
            for rate in torch.linspace(0, drop_path, num_layers).tolist()
        )
        self.norm = nn.LayerNorm(channels, EPS)

    def forward(self, x: Tensor) -> Tensor:
        for name, table, count in (
            ("views", self.view_position, x.size(1)),
            ("frames", self.frame_position, x.size(2)),
        ):
            if table is not None:
                if count > len(table):
                    raise ValueError(f"position has {len(table)} {name}; there are {count}")
                x = x + table[:count]
        for tokens, block in zip(self.tokens, self.blocks, strict=True):
            if tokens == "image":
                x = block(x.unsqueeze(3)).squeeze(3)
            elif tokens == "time":
                x = block(x)
            elif tokens == "view":
                x = block(x.transpose(1, 2)).transpose(1, 2)
            else:
                x = block(x.flatten(1, 2)).view_as(x)
        return self.norm(x)


class MSTR(SkeletonModel):
    """The multi-perspective spatial-temporal relational Transformer, from images (`Jiao et al. 2024
    <https://arxiv.org/abs/2401.16700>`_).

    A Swin Transformer, windowed self-attention within each image, makes one token of each; in the frame-image relation
    module the tokens of a clip attend to one another, and each image's pose is read off its token.

    The authors' published code reads 2D keypoints off (``out_channels=2``), takes every image of a batch for a token
    and gives it no position: here ``tokens="all"`` for the images of one clip. The paper speaks of relations in time
    and between views, which ``tokens`` offers by themselves. Without ``position`` the order of what attends to one
    another plays no part.

    Args:
        skeleton: the skeleton of the output.
        in_channels: channels of an image.
        out_channels: channels of a joint in ``pose``.
        patch_size: pixels of a patch each way.
        hidden_channels: C of the patches; each stage but the first doubles it.
        depths: blocks of each stage of the Swin Transformer; the default is Swin-T.
        heads: H of each stage.
        window_size: patches of a window each way.
        num_layers: blocks of the relation module.
        relation_heads: H of the relation module.
        drop_path: how often the last block of the Swin Transformer is left out of a sample in training.
        relation_drop_path: the same of the relation module.
        tokens: what attends to one another: ``"all"`` images of a clip, the frames of a view (``"time"``), the views
            of a frame (``"view"``), or the two in turn, a block each (``"time+view"``). ``"image"``: each to itself
            alone, which is no relation, with the same parameters.
        position: the most views and frames there will be, each of which then has a learned position, whatever
            ``tokens`` are; default none.
        keypoints: whether 2D keypoints are read off as well.

    Shapes:
        - **input:** [B, V, T, C_in, H, W], any V, T, H and W; uint8 pictures are brought to [-2, 2]
        - **output:** :class:`PoseOutput` with ``pose`` [B, V, T, J, C_out] and, where asked for, ``keypoints``
          [B, V, T, J, 2]

    Raises:
        ValueError: if ``depths`` and ``heads`` are not of one length, heads do not divide channels, there are fewer
            ``num_layers`` than kinds of ``tokens``, or an input has another shape or more views or frames than
            ``position``.
    """

    input_kind = "images"

    def __init__(
        self,
        skeleton: Skeleton,
        in_channels: int = 3,
        out_channels: int = 3,
        *,
        patch_size: int = 4,
        hidden_channels: int = 96,
        depths: tuple[int, ...] = (2, 2, 6, 2),
        heads: tuple[int, ...] = (3, 6, 12, 24),
        window_size: int = 7,
        num_layers: int = 4,
        relation_heads: int = 8,
        drop_path: float = 0.1,
        relation_drop_path: float = 0.2,
        tokens: Tokens = "all",
        position: tuple[int, int] | None = None,
        keypoints: bool = False,
    ) -> None:
        super().__init__(skeleton, in_channels, out_channels)
        if not len(depths) == len(heads) > 0:
            raise ValueError(f"depths {list(depths)} and heads {list(heads)} must name the same stages, one at least")
        self.space = SwinTransformer(in_channels, hidden_channels, patch_size, depths, heads, window_size, drop_path)
        channels = hidden_channels * 2 ** (len(depths) - 1)
        self.relation = FrameImageRelation(channels, num_layers, relation_heads, relation_drop_path, tokens, position)

        def head_of(coordinates: int) -> nn.Sequential:
            return nn.Sequential(nn.LayerNorm(channels), nn.Linear(channels, skeleton.num_joints * coordinates))

        self.head = head_of(out_channels)
        self.keypoints = head_of(2) if keypoints else None

    def forward(self, images: Tensor) -> PoseOutput:
        """See the class."""
        if images.dim() != 6 or images.size(3) != self.in_channels:
            raise ValueError(f"MSTR takes images [B, V, T, {self.in_channels}, H, W], not {list(images.shape)}")
        if images.dtype == torch.uint8:
            images = images.to(self.space.embed.conv.weight.dtype) / 63.75 - 2
        x = self.space(images.flatten(0, 2)).unflatten(0, images.shape[:3])  # [B, V, T, C]
        x = self.relation(x)
        joints = (self.skeleton.num_joints, -1)
        pose = self.head(x).unflatten(-1, joints)  # [B, V, T, J, C_out]
        if self.keypoints is None:
            return PoseOutput(pose)
        return PoseOutput(pose, keypoints=self.keypoints(x).unflatten(-1, joints))
