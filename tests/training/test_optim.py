"""The optimiser and schedule sections."""

from types import ModuleType

import pytest
import torch
from torch import nn

from skelgraph.errors import CheckpointError, ConfigError
from skelgraph.training import config, optim
from skelgraph.training.optim import Optim, Schedule, build_optim, build_schedule


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
    with pytest.raises(ConfigError, match="at least 0"):
        build_optim(wrong)


@pytest.mark.parametrize(
    "section",
    [
        {"name": "Adam", "weight_decay": 0.1},
        {"amsgrad": True, "weight_decay": 0.1},
        {},
        {"name": "SGD", "lr": 0.1, "momentum": 0.9, "nesterov": True},
        {"name": "SGD"},
        {"name": "Adafactor"},
        {"name": "NAdam"},
        {"name": "RMSprop", "centered": True},
        {"name": "ASGD"},
    ],
)
def test_equal_to_torch_and_restorable(section: dict) -> None:
    def train(steps: range, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        for step in steps:
            model[0](torch.arange(3.0) * (step + 1)).square().sum().backward()
            optimizer.step()
            optimizer.zero_grad()

    def model() -> nn.Module:
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2))

    ours, theirs, restored = model(), model(), model()
    made = build_optim(section)
    kind = getattr(torch.optim, section.get("name", "AdamW"))
    first = made.make(ours.parameters())
    train(range(4), ours, first)
    extra = {"weight_decay": 0.0} if kind is torch.optim.AdamW else {}
    train(range(4), theirs, kind(theirs.parameters(), **extra | {k: v for k, v in section.items() if k != "name"}))
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, atol=1e-7, rtol=1e-6)

    second = made.make(restored.parameters())
    restored.load_state_dict(ours.state_dict())
    optim.restore(restored, second, {k: v.clone() for k, v in optim.moments(ours, first).items()}, "here")
    train(range(4, 8), ours, first)
    train(range(4, 8), restored, second)
    assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), restored.parameters(), strict=True))
    assert not any(name.startswith("1.") for name in optim.moments(ours, first))


def test_moments_that_do_not_fit() -> None:
    model = nn.Linear(3, 2)
    with pytest.raises(CheckpointError, match=r"here: moment weight/exp_avg \[4\]"):
        optim.restore(model, Optim().make(model.parameters()), {"weight/exp_avg": torch.zeros(4)}, "here")


class Counting(torch.optim.Optimizer):
    """Keeps numbers for each parameter and for all together, and a list if asked to."""

    def __init__(self, params, lr: float = 0.1, *, listed: bool = False) -> None:  # noqa: ANN001
        super().__init__(params, {"lr": lr, "listed": listed, "rounds": 0})

    def step(self, closure=None) -> None:  # noqa: ANN001
        group = self.param_groups[0]
        group["rounds"] += 1
        for parameter in group["params"]:
            self.state[parameter]["count"] = group["rounds"] * 0.5
            if group["listed"]:
                self.state[parameter]["list"] = [1]


BROUGHT = ModuleType("brought")
BROUGHT.__dict__.update(Counting=Counting, Schedule=Schedule, nothing=len, __all__=["Counting", "nothing"])


def test_numbers_that_an_optimiser_keeps_are_stored() -> None:
    model = nn.Linear(3, 2)
    first, second = (build_optim({"name": "Counting"}, [BROUGHT]).make(model.parameters()) for _ in range(2))
    first.step()
    kept = optim.moments(model, first)
    assert kept.keys() == {"weight/count#", "bias/count#", "*/rounds#"}
    optim.restore(model, second, kept, "here")
    assert second.state[model.weight] == {"count": 0.5} and second.param_groups[0]["rounds"] == 1
    listed = build_optim({"name": "Counting", "listed": True}, [BROUGHT]).make(model.parameters())
    listed.step()
    with pytest.raises(ConfigError, match="Counting keeps list of weight as list"):
        optim.moments(model, listed)


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"name": "LBFGS"}, "unknown optimiser 'LBFGS'"),
        ({"name": "nothing"}, "unknown optimiser 'nothing'"),
        ({"name": "Addam"}, "did you mean 'Adam'"),
        ({"name": "SGD", "momentun": 0.9}, "did you mean 'momentum'"),
        ({"name": "SGD", "momentum": "much"}, "optim.momentum: expected"),
        ({"name": "SGD", "cilp": 1.0}, "did you mean 'clip'"),
        ({"clip": "low"}, "optim.clip: expected"),
    ],
)
def test_wrong_names_and_arguments(section: dict, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        build_optim(config.Section(section, "optim"), [BROUGHT])


def test_a_schedule_needs_a_rate_to_change() -> None:
    class Rateless(torch.optim.Optimizer):
        def __init__(self, params) -> None:  # noqa: ANN001
            super().__init__(params, {})

    module = ModuleType("rateless")
    module.__dict__.update(Rateless=Rateless, __all__=["Rateless"])
    with pytest.raises(ConfigError, match="Rateless has no argument lr"):
        build_optim({"name": "Rateless"}, [module])


def test_an_optimiser_says_what_it_does_not_take() -> None:
    with pytest.raises(ConfigError, match="Muon"):
        build_optim({"name": "Muon"}).make(nn.Linear(3, 2).parameters())


def test_a_plugins_schedule() -> None:
    class Stairs:
        def __init__(self, height: float) -> None:
            self.height = height

        def factor(self, step: int, epoch: int, total_steps: int) -> float:
            return self.height * epoch

    module = ModuleType("stairs")
    module.__dict__.update(Stairs=Stairs, __all__=["Stairs"])
    assert build_schedule({"name": "Stairs", "height": 0.5}, [module]).factor(0, 3, 9) == 1.5
    assert build_schedule({"name": "cosine"}, [module]) == Schedule("cosine")
    with pytest.raises(ConfigError, match="heigth.*did you mean 'height'"):
        build_schedule({"name": "Stairs", "heigth": 0.5}, [module])
