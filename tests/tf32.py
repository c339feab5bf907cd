"""Matrix products as a GPU makes them that uses TF32."""

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

_PRODUCTS = ("addmm", "baddbmm", "bmm", "mm")


class Tf32(TorchDispatchMode):
    """Rounds float32 operands of matrix products to 10 bits of mantissa while entered."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func.overloadpacket.__name__ in _PRODUCTS:
            args = [rounded(each) if isinstance(each, Tensor) else each for each in args]
        return func(*args, **(kwargs or {}))


def rounded(x: Tensor) -> Tensor:
    if x.dtype != torch.float32:
        return x
    bits = x.contiguous().view(torch.int32)
    return ((bits + 0x1000) & ~0x1FFF).view(torch.float32)
