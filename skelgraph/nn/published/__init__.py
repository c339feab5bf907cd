"""The authors' published checkpoints as models of ours."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from skelgraph.nn.published.plans import SYSTEMS, Plan
from skelgraph.nn.published.rules import State
from skelgraph.skeleton import Skeleton
from skelgraph.training import checkpoint

__all__ = ["SYSTEMS", "convert", "from_published"]

WRAPPERS = ("state_dict", "model_state_dict", "model_pos", "model")


def from_published(system: str, state_dict: Mapping[str, Any], skeleton: Skeleton, **arguments: Any) -> nn.Module:
    """Builds a model in eval mode from the state dict of the authors' own code.

    Sizes are inferred from names and shapes. What cannot be is an argument: ``heads`` (joint_former and its refinement:
    8, graformer: 4, mstr in its relation module: 8), ``num_frames`` (st_gcn: 1, and 3 for a checkpoint of the
    multi-frame model), ``groups`` (sem_gcn with non-local layers).

    Args:
        system: one of :data:`SYSTEMS`.
        state_dict: tensors or numpy arrays by name, as they are, behind ``module.``, or in a mapping under
            ``state_dict``.
        skeleton: that of the checkpoint, in the authors' order of joints.
        **arguments: see above.

    Raises:
        ValueError: for an unknown system or argument, and for a checkpoint that does not fit: the message lists the
            tensors that are missing, not used, or of another shape.
    """
    return build(system, *plan_of(system, state_dict, skeleton, arguments), skeleton)


def build(system: str, plan: Plan, state: State, skeleton: Skeleton) -> nn.Module:
    """The model of a plan, filled, in eval mode."""
    try:
        model = plan.model(skeleton, **plan.arguments)
    except ValueError as error:
        raise ValueError(f"{system}: {error}") from None
    load(system, model, plan, state)
    return model.eval()


def plan_of(
    system: str, state_dict: Mapping[str, Any], skeleton: Skeleton, arguments: Mapping[str, Any]
) -> tuple[Plan, dict[str, Tensor]]:
    """The plan of a checkpoint, and its tensors without wrapping."""
    if system not in SYSTEMS:
        raise ValueError(f"unknown system {system!r}; known are {', '.join(SYSTEMS)}")
    make = SYSTEMS[system]
    known = list(inspect.signature(make).parameters)[2:]
    for name in arguments:
        if name not in known:
            what = f"its arguments are {', '.join(known)}" if known else "it takes none"
            raise ValueError(f"{system} has no argument {name!r}; {what}")
    state = unwrap(state_dict)
    try:
        return make(state, skeleton, **arguments), state
    except KeyError as error:
        some = ", ".join(list(state)[:8])
        raise ValueError(f"{system}: the checkpoint has no tensor {error}; it begins with {some}") from None


def unwrap(state_dict: Mapping[str, Any]) -> dict[str, Tensor]:
    """The tensors of a state dict, taken out of a wrapping mapping and from behind ``module.``.

    Raises:
        ValueError: if there are none, or something else stands among them.
    """
    for key in WRAPPERS:
        inner = state_dict.get(key)
        if isinstance(inner, Mapping):
            return unwrap(inner)
    strange = [name for name, value in state_dict.items() if not isinstance(value, Tensor | np.ndarray)]
    if strange or not state_dict:
        found = f"found {strange[0]!r} among them" if strange else "found none"
        raise ValueError(f"a state dict holds tensors by name; {found}")
    state = {str(name): torch.as_tensor(value) for name, value in state_dict.items()}
    if all(name.startswith("module.") for name in state):
        state = {name.removeprefix("module."): tensor for name, tensor in state.items()}
    return state


def load(system: str, model: nn.Module, plan: Plan, state: State) -> None:
    """Fills a model, after every tensor on both sides was found to be accounted for and to have its shape."""
    wanted = model.state_dict()
    used = {name for theirs, _ in plan.rules.values() for name in theirs}
    faults = [f"{name} is missing" for name in sorted(used - set(state)) if not name.endswith("num_batches_tracked")]
    faults += [f"{name} is not used" for name in sorted(set(state) - used - plan.dead)]
    made = {}
    for ours, (theirs, make) in plan.rules.items():
        if all(name in state for name in theirs):
            try:
                made[ours] = make(*(state[name] for name in theirs)).to(wanted[ours].dtype)
            except (RuntimeError, IndexError) as error:
                faults.append(f"{' and '.join(theirs)} cannot be read: {error}")
                continue
            if made[ours].shape != wanted[ours].shape:
                shapes = " and ".join(f"{name} {list(state[name].shape)}" for name in theirs)
                faults.append(f"{shapes} would give {list(made[ours].shape)}, not {list(wanted[ours].shape)}")
    if faults:
        of = f"{type(model).__name__} on {model.skeleton!r} with {plan.arguments}"
        raise ValueError(f"{system}: the checkpoint does not fit {of}: " + "; ".join(faults))
    model.load_state_dict({**wanted, **made})


def convert(
    system: str, path: str | Path, out: str | Path, skeleton: Skeleton, *, force: bool = False, **arguments: Any
) -> nn.Module:
    """Writes a published checkpoint file as one of ours, for ``skelgraph.load`` and ``skelgraph lift --checkpoint``.

    Args:
        system: one of :data:`SYSTEMS`.
        path: .pt, .pth or .pth.tar, of which only tensors are read, never code; or .safetensors.
        out: the file to write, NAME.safetensors.
        skeleton: that of the checkpoint.
        force: overwrite ``out``.
        **arguments: as for :func:`from_published`.

    Returns:
        The model.

    Raises:
        FileNotFoundError: if there is no such checkpoint.
        ValueError: if it cannot be read safely or does not fit, or ``out`` is there already. Nothing is written then.
    """
    path, out = Path(path), Path(out)
    if out.suffix != ".safetensors":
        raise ValueError(f"{out}: expected a file whose name ends in .safetensors")
    if out.exists() and not force:
        raise ValueError(f"{out} is there already: --force overwrites it")
    state_dict = read(path)
    try:
        plan, state = plan_of(system, state_dict, skeleton, arguments)
        model = build(system, plan, state, skeleton)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
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
        raise ValueError(
            f"{path}: holds more than tensors and plain values, which is not opened, as it may run code ({reason}); "
            "save its state_dict() alone, in an environment that you trust it in"
        ) from None
    except (SafetensorError, RuntimeError, EOFError, ValueError, KeyError) as error:
        reason = str(error).split("\n")[0]
        raise ValueError(f"{path}: damaged, or no checkpoint of PyTorch: {reason}") from None
    if not isinstance(content, Mapping):
        raise ValueError(f"{path}: holds a {type(content).__name__}; expected a state dict")
    return content
