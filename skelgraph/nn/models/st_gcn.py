"""The space-time graph network of Cai et al., and its pose refinement."""

from itertools import combinations
from typing import Literal

import networkx as nx
import torch
from torch import Tensor, nn

from skelgraph.nn.blocks.pose_input import takes_poses
from skelgraph.nn.layers import GaussianNonLocal, PartitionConv, Topology
from skelgraph.nn.layers.non_local import pad_groups, pool_groups
from skelgraph.nn.models.pose_model import SkeletonModel
from skelgraph.skeleton import Skeleton
from skelgraph.skeleton.edges import Ties, by_symmetry, over_time

Norm = Literal["union", "group"]


class GraphBlock(nn.Module):
    r"""A partitioned graph convolution, a linear map of each joint, a skip: [B, N, C_in] -> [B, N, C_out].

    .. math:: y = \mathrm{ReLU}\big(\mathrm{BN}(W\, \mathrm{ReLU}(\mathrm{BN}(G x))) + R x\big)

    R is a linear map with a batch norm, the identity where the channels agree, or nothing with ``skip=False``.
    """

    def __init__(
        self, in_channels: int, out_channels: int, num_types: int, norm: Norm, dropout: float, skip: bool = True
    ) -> None:
        super().__init__()
        self.conv = PartitionConv(in_channels, out_channels, num_types, norm, typed_bias=True)
        self.norm1 = nn.BatchNorm1d(out_channels)
        self.linear = nn.Linear(out_channels, out_channels)
        self.norm2 = nn.BatchNorm1d(out_channels)
        self.dropout = nn.Dropout(dropout)
        self.skip: nn.Module | None = None
        if skip and in_channels == out_channels:
            self.skip = nn.Identity()
        elif skip:
            self.skip = nn.Sequential(nn.Linear(in_channels, out_channels), nn.BatchNorm1d(out_channels))

    def forward(self, x: Tensor, topology: Topology) -> Tensor:
        h = self.conv(x, topology).flatten(0, 1)  # [B * N, C]: batch norms see joints of all poses and frames
        h = self.linear(self.dropout(self.norm1(h).relu()))
        h = self.dropout(self.norm2(h))
        if self.skip is not None:
            h = h + self.skip(x.flatten(0, 1))
        return h.relu().view(x.size(0), x.size(1), -1)


class STGCN(SkeletonModel):
    r"""A partitioned space-time graph network from joints to limbs and back (`Cai et al., ICCV 2019
    <https://openaccess.thecvf.com/content_ICCV_2019/html/Cai_Exploiting_Spatial-Temporal_Relationships_for_3D_Pose_Estimation_via_Graph_Convolutional_ICCV_2019_paper.html>`_).

    Three graph blocks on joints; max-pooling to limbs and two blocks on the graph of limbs; max-pooling to one vector a
    frame, and over time a convolution; the way back by concatenation and copying; a non-local layer; a linear map.
    Edges join neighbours (self, closer, farther), left with right, and with ``num_frames`` T > 1 each joint with itself
    in the frames before and after.

    What the authors' code does and the paper does not say is kept: ``data_norm`` has an epsilon of 0.1, each edge type
    has a bias of its own, the center is the spine rather than the hip.

    Args:
        skeleton: the skeleton of input and output; ``limbs`` are pooled, joints in none of them as one more.
        in_channels: channels of a joint in the input.
        out_channels: channels of a joint in the output.
        num_frames: T. With 1 frame the model takes poses, else clips of T frames.
        hidden_channels: C of the first blocks; later ones have 2 C and 4 C.
        dropout: in the graph blocks.
        head_dropout: on the way back to the joints and before the last map.
        pool_dropout: on the pooled vector.
        center: the joint that hops are counted from; default ``spine`` where there is one, else the skeleton's.
        norm: ``"union"`` divides by the number of all edges that end in a joint (the authors' code), ``"group"`` by
            those of the same type (AMPose's eq. 3.9).
        ties: what becomes of edges between joints equally far from the center, see
            :func:`skelgraph.skeleton.edges.by_center`.

    Shapes:
        - **input:** [..., J, C_in], or [..., T, J, C_in] with T > 1, or a PyG ``Data`` or ``Batch`` of the skeleton
        - **output:** the same with C_out: all frames, of which the authors evaluate the middle one; or [N, C_out]
    """

    groups: Tensor
    group_of: Tensor

    def __init__(
        self,
        skeleton: Skeleton,
        in_channels: int = 2,
        out_channels: int = 3,
        *,
        num_frames: int = 1,
        hidden_channels: int = 128,
        dropout: float = 0.05,
        head_dropout: float = 0.1,
        pool_dropout: float = 0.25,
        center: int | str | None = None,
        norm: Norm = "union",
        ties: Ties = "drop",
    ) -> None:
        super().__init__(skeleton, in_channels, out_channels, num_frames=num_frames)
        if center is None:
            center = "spine" if "spine" in skeleton.joints else skeleton.center
        limbs, groups = limb_graph(skeleton, center)
        self.topology = space_time(skeleton, center, num_frames, ties)
        self.limb_topology = space_time(limbs, 0, num_frames, ties)
        owner = {joint: number for number, group in enumerate(groups) for joint in group}
        group_of = torch.tensor([owner[joint] for joint in range(skeleton.num_joints)])
        self.register_buffer("groups", pad_groups(groups), persistent=False)
        self.register_buffer("group_of", group_of, persistent=False)
        c = hidden_channels
        self.data_norm = nn.BatchNorm1d(skeleton.num_joints * in_channels, eps=0.1)
        types = self.topology.num_types
        self.blocks = nn.ModuleList(
            GraphBlock(narrow, wide, types, norm, dropout, skip)
            for narrow, wide, skip in ((in_channels, c, False), (c, c, True), (c, 2 * c, True))
        )
        types = self.limb_topology.num_types
        self.limb_blocks = nn.ModuleList(GraphBlock(narrow, 4 * c, types, norm, dropout) for narrow in (2 * c, 4 * c))
        width = 3 if num_frames > 1 else 1
        self.over_time = nn.Conv1d(4 * c, 4 * c, width, padding=width // 2)
        self.time_norm = nn.BatchNorm1d(4 * c)
        self.time_dropout = nn.Dropout(pool_dropout)
        self.merge = nn.Linear(8 * c, 2 * c)
        self.merge_norm = nn.BatchNorm1d(2 * c)
        self.dropout = nn.Dropout(head_dropout)
        self.look = GaussianNonLocal(4 * c)
        self.head = nn.Linear(4 * c, out_channels)

    @takes_poses
    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        frames = self.num_frames
        h = self.data_norm(x.reshape(-1, x.size(-2) * x.size(-1))).view(len(x), -1, x.size(-1))  # [B, T * J, C_in]
        for block in self.blocks:
            h = block(h, self.topology)
        limbs = pool_groups(h.unflatten(1, (frames, -1)), self.groups).flatten(1, 2)  # [B, T * G, 2 C]
        for block in self.limb_blocks:
            limbs = block(limbs, self.limb_topology)
        limbs = limbs.unflatten(1, (frames, -1))  # [B, T, G, 4 C]
        pooled = self.time_norm(self.over_time(limbs.amax(2).transpose(1, 2))).relu()  # [B, 4 C, T]
        pooled = self.time_dropout(pooled).transpose(1, 2).unsqueeze(2).expand_as(limbs)
        merged = self.merge(torch.cat([pooled, limbs], dim=-1)).flatten(0, 2)
        merged = self.dropout(self.merge_norm(merged).relu()).view(*limbs.shape[:3], -1)
        back = merged[:, :, self.group_of].flatten(1, 2)  # [B, T * J, 2 C]
        h = self.look(torch.cat([h, back], dim=-1))
        return self.head(self.dropout(h)).view(*x.shape[:-1], self.out_channels)


class PoseRefinement(SkeletonModel):
    r"""Cai et al.'s pose refinement: how far to trust the predicted x and y, and how far the 2D keypoints.

    .. math:: s = \sigma(W_2\, \mathrm{ReLU}(W_1 [\hat y; \tilde y])), \quad
        y_{xy} = s \odot \hat y_{xy} + (1 - s) \odot \tilde y_{xy}, \quad y_z = \hat y_z

    **It needs the true depth of the root.** :math:`\tilde y` is the 2D input back-projected through the camera at the
    predicted depth plus the *true* root depth, which no single view knows: what is refined so is not comparable with
    pure lifting (the rows marked * in the papers of Cai et al., Modulated GCN and AMPose).

    Args:
        skeleton: the skeleton of input and output.
        in_channels: 3 of the predicted and 3 of the back-projected pose.
        out_channels: 3.
        hidden_channels: width.
        dropout: after the first map.

    Shapes:
        - **input:** [..., J, 6], :math:`[\hat y; \tilde y]` in metres, relative to the root, or a PyG ``Data`` or
          ``Batch`` of the skeleton
        - **output:** [..., J, 3], or [N, 3]

    Raises:
        ValueError: for other numbers of channels.
    """

    def __init__(
        self,
        skeleton: Skeleton,
        in_channels: int = 6,
        out_channels: int = 3,
        *,
        hidden_channels: int = 1024,
        dropout: float = 0.5,
    ) -> None:
        if (in_channels, out_channels) != (6, 3):
            raise ValueError(f"PoseRefinement takes 6 channels and gives 3, found {in_channels} and {out_channels}")
        super().__init__(skeleton, in_channels, out_channels)
        joints = skeleton.num_joints
        self.trust = nn.Sequential(
            nn.Linear(6 * joints, hidden_channels),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden_channels, 2 * joints),
            nn.Sigmoid(),
        )

    @takes_poses
    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        pose, projected = x.chunk(2, -1)  # [B, J, 3] each
        trust = self.trust(x.flatten(1)).unflatten(1, (-1, 2))  # [B, J, 2]
        xy = trust * pose[..., :2] + (1 - trust) * projected[..., :2]
        return torch.cat([xy, pose[..., 2:]], dim=-1)


def space_time(skeleton: Skeleton, center: int | str, num_frames: int, ties: Ties) -> Topology:
    """The graph of ``num_frames`` frames: center, closer, farther, left with right, frame with frame."""
    edges = by_symmetry(*skeleton.typed_edges(center, ties), skeleton.pairs)
    edge_index, edge_type = over_time(*edges, skeleton.num_joints, num_frames)
    _, edge_type = edge_type.unique(return_inverse=True)  # no weight for a type that the skeleton has no edge of
    return Topology(edge_index, edge_type, num_frames * skeleton.num_joints)


def limb_graph(skeleton: Skeleton, center: int | str) -> tuple[Skeleton, list[list[int]]]:
    """The skeleton's limbs as a skeleton whose first joint is the limb with the center, and the joints of each limb.

    Limbs with a bone or extra edge between them are neighbours; those that mirror each other are pairs.
    """
    groups = {name: list(joints) for name, joints in skeleton.limbs.items()}
    rest = sorted(set(range(skeleton.num_joints)) - {j for joints in groups.values() for j in joints})
    if rest:
        groups["others" if "others" not in groups else "rest"] = rest
    first = next(name for name, joints in groups.items() if skeleton.index(center) in joints)
    owner = {joint: name for name, joints in groups.items() for joint in joints}
    graph: nx.Graph = nx.Graph(name="limbs")
    graph.add_nodes_from(sorted(groups, key=lambda name: name != first))
    graph.add_edges_from(
        (owner[a], owner[b]) for a, b in (*skeleton.bones, *skeleton.extra_edges) if owner[a] != owner[b]
    )
    flip = skeleton.flip_index.tolist()
    pairs = [(a, b) for a, b in combinations(groups, 2) if {flip[joint] for joint in groups[a]} == set(groups[b])]
    limbs = Skeleton.from_networkx(graph, root=first, pairs=pairs)
    return limbs, [groups[name] for name in limbs.joints]
