"""Checkpoints: one safetensors file of tensors, and what is known of them as JSON in its header. No pickle."""

from __future__ import annotations

import json
import math
import warnings
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from skelgraph.errors import CheckpointError
from skelgraph.files import atomic
from skelgraph.skeleton import Skeleton
from skelgraph.training import config, experiment
from skelgraph.training import plugins as packages
from skelgraph.training.plugins import Plugins

FORMAT = 1
MAX_HEADER, MAX_TENSORS = 10_000_000, 10_000
Which = Literal["last", "best"]


class DamagedError(CheckpointError):
    """A checkpoint that is not whole, or not of this package."""


def save(path: Path, tensors: Mapping[str, Tensor], meta: Mapping[str, Any]) -> None:
    """Writes a checkpoint atomically; ``meta`` is JSON-able.

    Raises:
        DamagedError: if a tensor is not finite; nothing is written then.
        OSError: disk full, read-only folder; the old file is untouched.
    """
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    _check_finite(path, plain)
    text = json.dumps({**meta, "format": FORMAT}, allow_nan=False)
    header = {"skelgraph": text, "crc32": str(_crc32(plain, text))}
    atomic.write(path, safetensors.torch.save(plain, header))


def load(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and the meta of a checkpoint, checked against its checksum and for finite values.

    Raises:
        FileNotFoundError: if there is no such file.
        DamagedError: naming the file and what is wrong with it.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such checkpoint")
    data = path.read_bytes()
    meta, crc32 = _header(path, data)
    try:
        tensors = safetensors.torch.load(data)
    except (SafetensorError, ValueError, RuntimeError, KeyError, OverflowError) as error:
        raise DamagedError(f"{path}: damaged checkpoint: {error}") from None
    if crc32 != str(_crc32(tensors, meta)):
        raise DamagedError(f"{path}: damaged checkpoint: its checksum does not match its content")
    _check_finite(path, tensors)
    return tensors, json.loads(meta)


def load_run(
    run: str | Path, which: Which | None = None, *, plugins: Plugins = ()
) -> tuple[Any, Skeleton, dict[str, Any]]:
    """The trained model, its skeleton and the checkpoint's meta.

    Args:
        run: a run folder or a checkpoint file.
        which: which checkpoint of a folder; default the last, and the best with a warning if the last is damaged.
        plugins: packages, as modules or by name, whose ``__all__`` the model's name may come from.

    Raises:
        FileNotFoundError: if there is no checkpoint.
        CheckpointError: if it is damaged, or does not fit the model its configuration describes.
        ConfigError: if it needs a package that ``plugins`` do not hold.
    """
    path, tensors, meta = load_newest(Path(run), which)
    try:
        skeleton = Skeleton.from_dict(meta["skeleton"])
        spec = meta["config"]["model"]
    except KeyError as error:
        raise CheckpointError(f"{path}: the checkpoint does not say its {error}; it holds {', '.join(meta)}") from None
    modules = packages.load(plugins)
    packages.check(config.as_section(meta["config"]), modules, path)
    state = weights(tensors)
    budget = 4 * sum(tensor.nbytes for tensor in state.values()) + 64_000_000
    with _Budget(budget, f"{path}: its configuration describes a model far larger than its weights"):
        model = experiment.build_model(spec, skeleton, modules)
    restore(model, state, path)
    return model.eval(), skeleton, meta


def load_newest(run: Path, which: Which | None = None) -> tuple[Path, dict[str, Tensor], dict[str, Any]]:
    """As :func:`load`, of a run folder: the last checkpoint, or the best with a warning if the last is damaged."""
    if run.is_file():
        return run, *load(run)
    paths = [run / f"{name}.safetensors" for name in ([which] if which else ["last", "best"])]
    problem: Exception | None = None
    for path in paths:
        try:
            tensors, meta = load(path)
        except (DamagedError, FileNotFoundError) as error:
            problem = problem or error
            continue
        if problem is not None:
            warnings.warn(f"{problem}; going on from {path} (step {meta.get('step')})", stacklevel=2)
        return path, tensors, meta
    raise problem or FileNotFoundError(f"{run}: no checkpoint")


def weights(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The model's tensors of a checkpoint, those in half precision as float32."""
    return {name: t.float() if t.dtype == torch.float16 else t for name, t in group(tensors, "model").items()}


def group(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with ``prefix.``, without it."""
    return {name.removeprefix(f"{prefix}."): t for name, t in tensors.items() if name.startswith(f"{prefix}.")}


def restore(model: nn.Module, state: Mapping[str, Tensor], source: object) -> None:
    """Copies weights into a model, after every name, shape and dtype was found to agree.

    Raises:
        CheckpointError: naming the first tensors that do not fit.
    """
    wanted = model.state_dict()
    faults = [f"{name} is missing" for name in wanted if name not in state]
    faults += [f"{name} is not in the model" for name in state if name not in wanted]
    for name in wanted.keys() & state.keys():
        found, expected = state[name], wanted[name]
        if (found.shape, found.dtype) != (expected.shape, expected.dtype):
            faults.append(f"{name} is {list(found.shape)} {found.dtype}, not {list(expected.shape)} {expected.dtype}")
    if faults:
        more = f" (and {len(faults) - 5} more)" if len(faults) > 5 else ""
        raise CheckpointError(f"{source}: the weights do not fit the model: {'; '.join(sorted(faults)[:5])}{more}")
    model.load_state_dict(dict(state))


class _Budget(TorchDispatchMode):
    """Refuses to allocate more than a number of bytes in all, before it is done."""

    def __init__(self, budget: int, message: str) -> None:
        super().__init__()
        self.left, self.message = budget, message

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func.namespace == "aten" and func._schema.name.split("::")[1] in _FACTORIES and args:
            sizes = args[0] if isinstance(args[0], list | tuple) else [args[0]]
            self.left -= 4 * math.prod(int(size) for size in sizes if isinstance(size, int))
            if self.left < 0:
                raise CheckpointError(self.message)
        return func(*args, **(kwargs or {}))


_FACTORIES = {"empty", "zeros", "ones", "full", "rand", "randn", "eye", "arange", "empty_strided"}


def _header(path: Path, data: bytes) -> tuple[str, str]:
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > min(MAX_HEADER, len(data) - 8):
        raise DamagedError(
            f"{path}: damaged checkpoint: its header should have {length} bytes, found {len(data)} in all"
        )
    try:
        header = json.loads(data[8 : 8 + length])
        own = header["__metadata__"]
        meta, crc32 = own["skelgraph"], own["crc32"]
        if not isinstance(meta, str) or json.loads(meta)["format"] != FORMAT:
            raise ValueError("unknown format")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DamagedError(f"{path}: not a checkpoint of skelgraph, or damaged ({error!r})") from None
    if len(header) > MAX_TENSORS:
        raise DamagedError(f"{path}: holds {len(header)} tensors; expected at most {MAX_TENSORS}")
    return meta, str(crc32)


def _crc32(tensors: Mapping[str, Tensor], meta: str) -> int:
    crc = zlib.crc32(meta.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        crc = zlib.crc32(f"{name} {tensor.dtype} {list(tensor.shape)}".encode(), crc)
        if tensor.numel():
            crc = zlib.crc32(tensor.reshape(-1).view(torch.uint8).numpy().data, crc)
    return crc


def _check_finite(path: Path, tensors: Mapping[str, Tensor]) -> None:
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise DamagedError(f"{path}: tensor {name} holds values that are not finite")
