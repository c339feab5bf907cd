"""The optimiser and schedule sections."""

import pytest
import torch
from torch import nn

from skelgraph.training import optim
from skelgraph.training.optim import Optim, Schedule


def test_schedules() -> None:
    assert Schedule().factor(123, 4, 1000) == 1
    cosine = Schedule("cosine", final=0.1)
    assert cosine.factor(0, 0, 100) == 1 and cosine.factor(50, 0, 100) == pytest.approx(0.55)
    assert cosine.factor(100, 0, 100) == pytest.approx(0.1)
    assert Schedule("exponential", gamma=0.5).factor(99, 3, 100) == 0.125
    assert Schedule("exponential", gamma=0.5, every=10, unit="step").factor(29, 0, 100) == 0.25
    assert Schedule(warmup=4).factor(0, 0, 100) == 0.25 and Schedule(warmup=4).factor(10, 0, 100) == 1


@pytest.mark.parametrize("wrong", [{"gamma": 0.0}, {"every": 0}, {"final": 2.0}, {"warmup": -1}])
def test_wrong_schedules(wrong: dict) -> None:
    with pytest.raises(ValueError, match="expected"):
        Schedule(**wrong)


@pytest.mark.parametrize("wrong", [{"clip": 0.0}, {"lr": -1.0}, {"weight_decay": -1.0}])
def test_wrong_optimisers(wrong: dict) -> None:
    with pytest.raises(ValueError, match="at least 0"):
        Optim(**wrong)


@pytest.mark.parametrize("section", [Optim("Adam", weight_decay=0.1), Optim("AdamW", amsgrad=True, weight_decay=0.1)])
def test_equal_to_torch_and_restorable(section: Optim) -> None:
    def train(steps: range, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        for step in steps:
            model[0](torch.arange(3.0) * (step + 1)).square().sum().backward()
            optimizer.step()
            optimizer.zero_grad()

    def model() -> nn.Module:
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2))

    ours, theirs, restored = model(), model(), model()
    kind = getattr(torch.optim, section.name)
    first = section.make(ours.parameters())
    train(range(4), ours, first)
    extra = {"lr": 1e-3, "weight_decay": 0.1, "amsgrad": section.amsgrad}
    train(range(4), theirs, kind(theirs.parameters(), **extra))
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, atol=1e-7, rtol=1e-6)

    second = section.make(restored.parameters())
    restored.load_state_dict(ours.state_dict())
    optim.restore(restored, second, {k: v.clone() for k, v in optim.moments(ours, first).items()}, "here")
    train(range(4, 8), ours, first)
    train(range(4, 8), restored, second)
    assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), restored.parameters(), strict=True))
    assert not any(name.startswith("1.") for name in optim.moments(ours, first))


def test_moments_that_do_not_fit() -> None:
    model = nn.Linear(3, 2)
    with pytest.raises(ValueError, match=r"here: moment weight/exp_avg \[4\]"):
        optim.restore(model, Optim().make(model.parameters()), {"weight/exp_avg": torch.zeros(4)}, "here")
