"""What every dataset promises, the package's and those of plugins."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Literal, get_args

import torch
from torch import Tensor
from torch_geometric.transforms import BaseTransform

from skelgraph.datasets.pose_graphs import PoseGraphs
from skelgraph.datasets.randomness import generator
from skelgraph.errors import ContractError
from skelgraph.nn.models.pose_model import InputKind
from skelgraph.skeleton import Skeleton

Split = Literal["train", "test"]
ATTRIBUTES = ("skeleton", "split", "actions", "num_frames", "input_kind")


class PoseDataset(ABC):
    """Samples of one skeleton, drawn an epoch at a time as tensors: the contract of a dataset and its base class.

    A dataset says how many samples an epoch has (``__len__``) and makes an epoch (``make``); training calls
    :meth:`draw`. A sample is a function of (seed, split, epoch, index): whatever is random comes from
    :meth:`generator`. The test split does not depend on the epoch.

    Args:
        skeleton: J joints.
        split: "train" or "test".
        seed: of everything random.
        num_frames: T; 1: single poses.

    Attributes:
        actions: the names that ``action`` counts.
        input_kind: what models take of this, see :class:`skelgraph.nn.models.PoseModel`.
        calibrated: of views alone, whether the targets are in the cameras' world.

    Raises:
        ValueError: for an unknown split or fewer frames than one.

    Example::

        class Standing(PoseDataset):
            actions = ("standing",)

            def __len__(self):
                return 100

            def make(self, epoch):
                target = center_on(torch.randn(100, self.skeleton.num_joints, 3, generator=self.generator(epoch)),
                                   self.skeleton.origin)
                ...
                return Poses(keypoints, confidence, image_size, target, action, focal)
    """

    input_kind: InputKind = "pose"
    actions: tuple[str, ...] = ()

    def __init__(self, skeleton: Skeleton, split: Split = "train", seed: int = 0, *, num_frames: int = 1) -> None:
        if split not in get_args(Split):
            raise ValueError(f"split must be 'train' or 'test', found {split!r}")
        if num_frames < 1:
            raise ValueError(f"num_frames must be at least 1, found {num_frames}")
        self.skeleton, self.split, self.seed, self.num_frames = skeleton, split, seed, num_frames
        if self.input_kind == "pose" and num_frames > 1:
            self.input_kind = "clip"
        self._kept: tuple[int, Any] | None = None

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def make(self, epoch: int) -> Any:
        """All samples of an epoch, on the CPU: :class:`Poses`, or what views or images are drawn as."""

    def draw(self, epoch: int, indices: Tensor | slice | int | None = None) -> Any:
        """The samples of an epoch, or those at ``indices``; the test split ignores ``epoch``.

        Samples by index come from the epoch as a whole, which is kept until another is asked for by index.
        """
        number = self.epoch_drawn(epoch)
        if indices is None:
            return self.make(number)
        if self._kept is None or self._kept[0] != number:
            self._kept = None
            self._kept = (number, self.make(number))
        return self._kept[1].take(indices)

    def epoch_drawn(self, epoch: int) -> int:
        """The epoch whose samples serve as those of ``epoch``."""
        return epoch if self.split == "train" else 0

    def __getitem__(self, index: int) -> Any:
        """Sample ``index`` of the first epoch as tensors; :meth:`graphs` gives PyG's."""
        return self.draw(0, range(len(self))[index])

    def __repr__(self) -> str:
        what = f"{self.skeleton.name}, split={self.split!r}, seed={self.seed}"
        return f"{type(self).__name__}({what}, {len(self)} samples)"

    def graphs(self, transform: BaseTransform | None = None, epoch: int = 0, *, channels: int = 2) -> PoseGraphs:
        """An epoch as a PyG dataset, one graph per sample, see :class:`PoseGraphs`.

        Args:
            transform: called with each graph when it is asked for.
            epoch: which; of the test split they are all alike.
            channels: of ``x``, see :func:`skelgraph.nn.inputs.model_input`.

        Raises:
            ContractError: for views and images, which have no graphs.
        """
        if self.input_kind not in ("pose", "clip"):
            raise ContractError(
                f"{type(self).__name__} gives {self.input_kind}, which have no graphs: only poses and clips of one "
                "camera have; take its tensors from draw(epoch)"
            )
        return PoseGraphs(self, transform, epoch, channels)

    def generator(self, *key: str | int) -> torch.Generator:
        """A generator for one purpose, seeded by the dataset's name, seed and split and by ``key``."""
        return generator(type(self).__name__, self.seed, self.split, *key)

    def size_of_split(self, **sizes: int) -> int:
        """Of the two sizes, by their arguments' names, of training and test, that of this split.

        Raises:
            ValueError: if one is less than 1.
        """
        wrong = {name: size for name, size in sizes.items() if size < 1}
        if wrong:
            raise ValueError(", ".join(f"{name} must be at least 1, found {size}" for name, size in wrong.items()))
        training, test = sizes.values()
        return training if self.split == "train" else test


def counts_by_kind(total: int, rest: str, **shares: float) -> dict[str, int]:
    """How many of ``total`` samples are of each kind that there are any of; ``rest`` is what the shares leave."""
    counts = {kind: round(share * total) for kind, share in shares.items()}
    counts[rest] = total - sum(counts.values())
    return {kind: count for kind, count in counts.items() if count}


def kind_of_each(counts: Mapping[str, int]) -> Tensor:
    """[N], the place in ``counts`` of each sample's kind, where the samples of a kind stand together."""
    return torch.arange(len(counts)).repeat_interleave(torch.tensor(list(counts.values())))


def check_dataset(dataset: Any) -> Any:
    """The dataset itself, once it is found to keep the contract of :class:`PoseDataset`, from which it need not derive.

    Raises:
        ContractError: naming everything that it has not.
    """
    known = dir(dataset)
    views = "input_kind" in known and dataset.input_kind == "views"
    expected = (*ATTRIBUTES, *(("calibrated",) if views else ()), "__len__", "draw")
    faults = [f"{name} is missing" for name in expected if name not in known]
    if "input_kind" in known and dataset.input_kind not in get_args(InputKind):
        faults.append(f"input_kind is {dataset.input_kind!r}, not one of {', '.join(get_args(InputKind))}")
    if faults:
        raise ContractError(
            f"{type(dataset).__name__} does not keep the contract of a dataset (skelgraph.datasets.PoseDataset): "
            f"{'; '.join(faults)}; deriving it from PoseDataset brings all but __len__, make and actions"
        )
    return dataset
