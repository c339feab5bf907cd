"""A GPU that only pretends: shapes and devices without numbers, and a watch over what waits for it.

PyTorch's PrivateUse1 device as a Python backend, with fake tensors on it. Forward, backward and optimiser run, nothing
is computed. Fake tensors raise where the host needs a number (``item``, ``if x``, ``x[mask]``, ``nonzero``) and where
two devices mix; the watch notes copies between host and device, which make the host wait, and operations that CUDA
refuses under ``torch.use_deterministic_algorithms``. The backend lasts as long as its process: import this only in a
process of its own (``pretended_steps.py``).
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.backend_registration import _DummyBackendModule, _setup_privateuseone_for_python_backend


class _Backend(_DummyBackendModule):
    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16]


_setup_privateuseone_for_python_backend("pretended", backend_module=_Backend())
DEVICE = torch.device("pretended:0")
FAKE = FakeTensorMode(allow_non_fake_inputs=False)  # refuses tensors of two devices

COPYING_CALLS = {"as_tensor", "new_tensor", "tensor"}
# On CUDA these raise under torch.use_deterministic_algorithms (see its documentation), whatever their arguments here.
NO_DETERMINISTIC = {
    "kthvalue.default",
    "median.dim",
    "nanmedian.dim",
    "put",
    "put_",
    "histc",
    "grid_sampler_2d_backward",
}
NO_DETERMINISTIC |= {"avg_pool3d_backward", "_adaptive_avg_pool2d_backward", "_adaptive_avg_pool3d_backward"}
NO_DETERMINISTIC |= {"adaptive_max_pool2d_backward", "fractional_max_pool2d_backward", "max_unpool2d"}
NO_DETERMINISTIC |= {"upsample_linear1d_backward", "upsample_bilinear2d_backward", "upsample_bicubic2d_backward"}
NO_DETERMINISTIC |= {"reflection_pad1d_backward", "reflection_pad2d_backward", "nll_loss_forward", "nll_loss2d_forward"}
NO_DETERMINISTIC |= {"_ctc_loss_backward"}


class Watch:
    """What a GPU would object to: ``"what at where"`` and how often, and the exception that ended it."""

    def __init__(self) -> None:
        self.raised: str | None = None
        self.clear()

    def clear(self) -> None:
        self.events: Counter[str] = Counter()
        self.num_ops = 0

    def note(self, what: str) -> None:
        self.events[f"{what} at {_where()}"] += 1


class Operations(TorchDispatchMode):
    """Watches each operation of PyTorch, those of the backward pass too."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self.watch = watch

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        if func.namespace == "aten":
            self.watch.num_ops += 1
            self.look(func.overloadpacket.__name__, func._overloadname, args, out)
        return out

    def look(self, name: str, overload: str, args: Any, out: Any) -> None:
        if name in ("_to_copy", "copy_") and len({tensor.device for tensor in _tensors([args, out])}) > 1:
            self.watch.note("copy between host and device")
        if {name, f"{name}.{overload}"} & NO_DETERMINISTIC or (name == "cumsum" and args[0].is_floating_point()):
            self.watch.note(f"{name} has no deterministic implementation")
        if name in ("index", "index_put", "index_put_"):
            for index in _tensors(args[1]):
                if index.device != args[0].device:
                    self.watch.note("index copied between host and device")


class Calls(TorchFunctionMode):
    """Watches copies that no operation shows: of Python's numbers, and of lists that index."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self.watch = watch

    def __torch_function__(self, func: Callable, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs, name = kwargs or {}, getattr(func, "__name__", "")
        if name in COPYING_CALLS:
            device = kwargs.get("device", args[0].device if name == "new_tensor" else None)
            if device == DEVICE:
                self.watch.note(f"{name}() copies from the host")
                values = torch.tensor(args[-1], dtype=kwargs.get("dtype"), device="meta")
                return torch.empty(values.shape, dtype=values.dtype, device=DEVICE)
        if name == "__getitem__" and args[0].device == DEVICE:
            index = args[1] if isinstance(args[1], tuple) else (args[1],)
            if any(isinstance(each, list) for each in index):
                self.watch.note("index by a list copies from the host")
                return func(args[0], tuple(_as_index(each) for each in index))
        return func(*args, **kwargs)


def watched(step: Callable[[], None]) -> dict[str, Any]:
    """What a GPU objects to in a step; in a second one where it objects to the first, which may set things up."""
    watch = Watch()
    with Calls(watch), FAKE, Operations(watch):
        try:
            step()
            if watch.events:
                watch.clear()
                step()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is reported
            watch.raised = f"{type(error).__name__} at {_where(error.__traceback__)}: {str(error)[:300]}"
    return {"events": dict(watch.events), "raised": watch.raised, "num_ops": watch.num_ops}


def empty(shape: tuple[int, ...], dtype: torch.dtype = torch.float32) -> Tensor:
    """A tensor on the pretended GPU."""
    with FAKE:
        return torch.empty(shape, dtype=dtype, device=DEVICE)


def pretend(tensor: Tensor) -> Tensor:
    """The tensor's twin on the pretended GPU."""
    with FAKE:
        return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device=DEVICE)


def move(model: nn.Module) -> nn.Module:
    """Gives a model its twins in place; shared parameters stay shared."""
    twins: dict[int, nn.Parameter] = {}
    for module in model.modules():
        for name, parameter in module._parameters.items():
            if parameter is not None:
                if id(parameter) not in twins:
                    twins[id(parameter)] = nn.Parameter(pretend(parameter), requires_grad=parameter.requires_grad)
                module._parameters[name] = twins[id(parameter)]
        for name, buffer in module._buffers.items():
            module._buffers[name] = None if buffer is None else pretend(buffer)
    return model


def _as_index(index: Any) -> Any:
    return empty((len(index),), torch.long) if isinstance(index, list) else index


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _tensors(each)
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))


def _where(traceback: Any = None) -> str:
    """The innermost line of ours, or of a module that is watched in a test."""
    places = []
    if traceback is None:
        frame: Any = sys._getframe(1)
        while frame is not None:
            places.insert(0, (frame.f_code.co_filename, frame.f_lineno))
            frame = frame.f_back
    while traceback is not None:
        places.append((traceback.tb_frame.f_code.co_filename, traceback.tb_lineno))
        traceback = traceback.tb_next
    ours = [(file, line) for file, line in places if "/skelgraph/" in file or file.endswith("pretended_steps.py")]
    file, line = ours[-1] if ours else ("the backward pass", 0)
    return f"{file.split('/skelgraph/')[-1].split('/tests/')[-1]}:{line}"
