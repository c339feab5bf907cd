"""Strict YAML, overrides, and objects checked against their constructor's signature."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from skelgraph.errors import ConfigError
from skelgraph.training import config, construct


class Layer(nn.Module):
    def __init__(self, width: int, *, bias: bool = True) -> None:
        super().__init__()
        self.width, self.bias = width, bias


class Net(nn.Module):
    def __init__(
        self,
        skeleton: str,
        width: int = 4,
        *,
        dropout: float = 0.0,
        norm: Literal["batch", "layer"] = "batch",
        sizes: tuple[int, ...] = (),
        weights: Mapping[str, float] | None = None,
        block: nn.Module | None = None,
        conv: Callable[..., nn.Module] = Layer,
        stack: Sequence[nn.Module] = (),
        file: Path | None = None,
    ) -> None:
        super().__init__()
        if width == 13:
            raise ValueError("width 13 is unlucky")
        self.seen = dict(skeleton=skeleton, width=width, dropout=dropout, norm=norm, sizes=sizes, weights=weights)
        self.block, self.conv, self.stack, self.file = block, conv, list(stack), file


NETS = ModuleType("nets")
NETS.__dict__.update(Net=Net, Layer=Layer, hidden=Net, __all__=["Net", "Layer"])


def write(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "x.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def make(tmp_path: Path, text: str, *overrides: str) -> Net:
    return construct.build(NETS, config.read(write(tmp_path, text), overrides)["model"], skeleton="S")


def test_values_arrive_typed(tmp_path: Path) -> None:
    text = "model:\n  {name: Net, width: 8, dropout: 1e-3, norm: layer, sizes: [1, 2], weights: {a: 1}, file: a/b.npz}"
    net = make(tmp_path, text)
    assert net.seen == dict(skeleton="S", width=8, dropout=1e-3, norm="layer", sizes=(1, 2), weights={"a": 1.0})
    assert net.file == Path("a/b.npz")


def test_a_bare_name_will_do_for_a_class(tmp_path: Path) -> None:
    assert make(tmp_path, "model: {name: Net, conv: Layer}").conv is Layer
    with pytest.raises(ConfigError, match=r"x.yaml, line 1: model.conv.name: .*'Layr'; did you mean 'Layer'"):
        make(tmp_path, "model: {name: Net, conv: Layr}")


def test_plain_dicts_are_sections_too() -> None:
    net = construct.build(NETS, {"name": "Net", "stack": [{"name": "Layer", "width": 2}]}, skeleton="S")
    assert net.stack[0].width == 2
    deep: dict = {}
    for _ in range(40):
        deep = {"a": deep}
    with pytest.raises(ConfigError, match="nested deeper than 32"):
        config.Section(deep)


def test_nested_specs_become_objects_or_factories(tmp_path: Path) -> None:
    text = """
model:
  name: Net
  block: {name: Layer, width: 3}
  conv: {name: Layer, bias: false}
  stack: [{name: Layer, width: 1}, {name: Layer, width: 2}]
"""
    net = make(tmp_path, text)
    assert isinstance(net.block, Layer) and net.block.width == 3
    assert [layer.width for layer in net.stack] == [1, 2]
    layer = net.conv(7)
    assert layer.width == 7 and layer.bias is False


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("widht: 8", ["line 3", "model.widht", "did you mean 'width'"]),
        ("width: 8.5", ["line 3: model.width", "expected int", "8.5"]),
        ("width: '8'", ["expected int", "'8'"]),
        ("width: true", ["expected int", "True"]),
        ("width: 010", ["expected int", "'010'"]),
        ("width: 1e3", ["expected int", "1000.0"]),
        ("width: 1:30", ["expected int", "'1:30'"]),
        ("width: 2001-01-01", ["expected int", "2001-01-01"]),
        ("dropout: '1e-3'", ["expected float"]),
        ("dropout: .nan", ["expected float", ".nan"]),
        ("dropout: 1e999", ["line 3: model.dropout", "not finite"]),
        ("norm: bach", ["'batch', 'layer'", "'bach'"]),
        ("sizes: [1, x]", ["model.sizes", "x"]),
        ("weights: {a: b}", ["model.weights"]),
        ("skeleton: T", ["set by the program"]),
        ("block: {name: Laier}", ["line 3: model.block.name", "'Laier'", "did you mean 'Layer'"]),
        ("block: {name: Layer}", ["line 3: model.block", "Layer needs width"]),
        ("block: {name: Layer, width: 1, bias: no}", ["line 3: model.block.bias", "expected bool", "'no'"]),
        ("conv: {name: Layer, bais: true}", ["line 3: model.conv.bais", "did you mean 'bias'"]),
        ("block: 3", ["model.block"]),
        ("width: 13", ["line 2", "model", "unlucky"]),
    ],
)
def test_wrong_values_name_line_key_and_what_was_expected(tmp_path: Path, line: str, words: list[str]) -> None:
    with pytest.raises(ValueError) as error:
        make(tmp_path, f"model:\n  name: Net\n  {line}\n")
    assert "x.yaml" in str(error.value)
    for word in words:
        assert word in str(error.value), str(error.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", ["line 3", "'a' is duplicated"]),
        ("a: &x 1\nb: *x\n", ["line 1", "alias"]),
        ("a: {<<: {b: 1}}\n", ["line 1", "<<"]),
        ("a: !!python/object/apply:os.system [ls]\n", ["line 1", "tag"]),
        ("a: !!str 1\n", ["line 1", "tag"]),
        ("- 1\n- 2\n", ["expected a mapping"]),
        ("", ["expected a mapping"]),
        ("a: {b: c\n", ["line"]),
        ("a: 1\n b: 2\n", ["line 2"]),
        ("1: a\n", ["line 1", "key"]),
        ("[1, 2]: a\n", ["line 1", "key"]),
        ("a: 1\n---\na: 2\n", ["line 2"]),
        (b"a: \xff\xfe\n", ["x.yaml"]),
        (b"a: \x00\n", ["x.yaml"]),
        ("a: " + "[" * 200_000, ["deeper than 32"]),
        ("a: " + "{a: " * 200_000, ["deeper than 32"]),
        ("a: " + "x" * 1_000_001, ["1000004 bytes"]),
    ],
)
def test_odd_yaml_is_refused_with_its_line(tmp_path: Path, text: str | bytes, words: list[str]) -> None:
    with pytest.raises(ValueError) as error:
        config.read(write(tmp_path, text))
    for word in ("x.yaml", *words):
        assert word in str(error.value), str(error.value)[:300]


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no.yaml"):
        config.read(tmp_path / "no.yaml")
    with pytest.raises(ValueError, match="folder"):
        config.read(tmp_path)


def test_bom_and_crlf_are_fine(tmp_path: Path) -> None:
    assert config.read(write(tmp_path, b"\xef\xbb\xbfa: 1\r\nb: no\r\n")) == {"a": 1, "b": "no"}


def test_overrides_are_yaml_and_keep_the_rest(tmp_path: Path) -> None:
    path = write(tmp_path, "model: {name: Net, width: 8}\ntrain: {epochs: 60}\n")
    changes = ["train.epochs=1", "model.dropout=1e-2", "optim.lr=0.5", "train.seeds=[0, 1]", "note="]
    read = config.read(path, changes)
    assert read == {
        "model": {"name": "Net", "width": 8, "dropout": 0.01},
        "train": {"epochs": 1, "seeds": [0, 1]},
        "optim": {"lr": 0.5},
        "note": None,
    }
    with pytest.raises(ValueError, match="command line, 'model.widht=1'.*did you mean 'width'"):
        make(tmp_path, path.read_text(), "model.widht=1")


@pytest.mark.parametrize("override", ["epochs", "=3", "train..epochs=1", "model=3", "train.epochs.x.=1", "a=[1"])
def test_bad_overrides(tmp_path: Path, override: str) -> None:
    with pytest.raises(ValueError):
        config.read(write(tmp_path, "model: {name: Net}\n"), [override])


def test_a_change_of_name_replaces_the_section() -> None:
    base = {"model": {"name": "Net", "width": 3}, "loss": {"mpjpe": 1.0}}
    assert config.merge(base, {"model": {"name": "Net", "dropout": 0.5}, "loss": {"bone": 0.1}}) == {
        "model": {"name": "Net", "width": 3, "dropout": 0.5},
        "loss": {"mpjpe": 1.0, "bone": 0.1},
    }
    assert config.merge(base, {"model": {"name": "Layer"}})["model"] == {"name": "Layer"}
    assert base["model"] == {"name": "Net", "width": 3}


def test_names_are_looked_up_never_imported() -> None:
    before = set(sys.modules)
    for name in ["os.system", "antigravity", "nets.Net", "hidden", "__class__", "torch.nn.Linear", "builtins.eval", ""]:
        with pytest.raises(ValueError, match="Valid: Net, Layer"):
            construct.build(NETS, {"name": name, "width": 1})
    with pytest.raises(ValueError, match="has no name"):
        construct.build(NETS, {"width": 1})
    assert set(sys.modules) - before <= {"antigravity"} - {"antigravity"}


_scalars = st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text(max_size=12)
_scalars |= st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(["1e-3", "no", "010", "~", "1:30", ".5"])
_keys = st.text(max_size=8) | st.sampled_from(["on", "1", "null", "1e5", "<<"])
_trees = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys.filter("<<".__ne__), inner, max_size=3)
)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(_keys.filter("<<".__ne__), _trees, max_size=4))
def test_dump_and_parse_agree(value: dict) -> None:
    assert config.parse(config.dump(value), "dump") == value


def test_shared_lists_are_written_out_without_aliases() -> None:
    shared = [1, 2]
    assert config.parse(config.dump({"a": shared, "b": shared}), "dump") == {"a": [1, 2], "b": [1, 2]}
