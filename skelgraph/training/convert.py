"""The authors' checkpoint files as checkpoints of skelgraph."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import nn

from skelgraph.errors import CheckpointError
from skelgraph.files.new_file import new_file
from skelgraph.nn.published import build, plan_of
from skelgraph.skeleton import Skeleton
from skelgraph.training import checkpoint


def convert(
    system: str, path: str | Path, out: str | Path, skeleton: Skeleton, *, force: bool = False, **arguments: Any
) -> nn.Module:
    """Writes a published checkpoint file as one of ours, for ``skelgraph.load`` and ``skelgraph.lift(checkpoint=...)``.

    Args:
        system: one of :data:`skelgraph.nn.published.SYSTEMS`.
        path: .pt, .pth or .pth.tar, of which only tensors are read, never code; or .safetensors.
        out: the file to write, NAME.safetensors.
        skeleton: that of the checkpoint.
        force: overwrite ``out``.
        **arguments: as for :func:`skelgraph.nn.published.from_published`.

    Returns:
        The model.

    Raises:
        FileNotFoundError: if there is no such checkpoint.
        ValueError: if it cannot be read safely or does not fit. Nothing is written then.
        OutputExistsError: if ``out`` is there and ``force`` is not given.
    """
    path, out = Path(path), new_file(out, ".safetensors", force)
    state_dict = read(path)
    try:
        plan, state = plan_of(system, state_dict, skeleton, arguments)
        model = build(system, plan, state, skeleton)
    except ValueError as error:
        raise CheckpointError(f"{path}: {error}") from None
    spec = {"name": type(model).__name__, "in_channels": model.in_channels, **plan.arguments}
    meta = {
        "config": {"skeleton": skeleton.to_dict(), "model": spec},
        "skeleton": skeleton.to_dict(),
        "in_channels": model.in_channels,
        "step": 0,
        "converted": {"system": system, "file": path.name},
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    checkpoint.save(out, {f"model.{name}": tensor for name, tensor in model.state_dict().items()}, meta)
    return model


def read(path: Path) -> Mapping[str, Any]:
    """What a checkpoint file of someone else's holds, tensors and plain values only.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: if it is damaged, or asks for code to be run.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such checkpoint")
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        reason = str(error).split("\n")[0]
        raise CheckpointError(
            f"{path}: holds more than tensors and plain values, which is not opened, as it may run code ({reason}); "
            "save its state_dict() alone, in an environment that you trust it in"
        ) from None
    except (SafetensorError, RuntimeError, EOFError, ValueError, KeyError) as error:
        reason = str(error).split("\n")[0]
        raise CheckpointError(f"{path}: damaged, or no checkpoint of PyTorch: {reason}") from None
    if not isinstance(content, Mapping):
        raise CheckpointError(f"{path}: holds a {type(content).__name__}; expected a state dict")
    return content
