"""The authors' published checkpoints as models of ours."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from skelgraph.nn.published.plans import SYSTEMS, Plan
from skelgraph.nn.published.rules import State
from skelgraph.skeleton import Skeleton

__all__ = ["SYSTEMS", "from_published"]

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
