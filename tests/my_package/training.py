"""An optimiser, a schedule and a logger."""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn


class SignDescent(torch.optim.Optimizer):
    """Steps of one size against the sign of the gradient's moving average."""

    def __init__(self, params: Iterable[nn.Parameter], lr: float = 1e-3, *, memory: float = 0.9) -> None:
        super().__init__(params, {"lr": lr, "memory": memory})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    state = self.state[parameter]
                    average = state.setdefault("average", torch.zeros_like(parameter))
                    state["steps"] = state.get("steps", 0) + 1
                    average.lerp_(parameter.grad, 1 - group["memory"])
                    parameter.sub_(group["lr"] * average.sign())


class Stairs:
    """Half the learning rate after each epoch."""

    def __init__(self, *, ratio: float = 0.5) -> None:
        self.ratio = ratio

    def factor(self, step: int, epoch: int, total_steps: int) -> float:
        return self.ratio**epoch


class Lines:
    """One line of JSON per epoch."""

    def __init__(self, *, file: str = "lines.jsonl") -> None:
        self.file = file

    def start(self, folder: Path, epochs: int) -> None:
        self.path = folder / self.file
        lines = self.path.read_text(encoding="utf-8").splitlines(keepends=True) if self.path.exists() else []
        self.path.write_text("".join(lines[:epochs]), encoding="utf-8")

    def epoch(self, row: Mapping[str, Any]) -> None:
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    def stop(self) -> None: ...
