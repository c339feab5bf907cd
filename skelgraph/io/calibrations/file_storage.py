"""OpenCV's FileStorage, YAML and XML, as plain mappings: a matrix becomes ``{rows, cols, dt, data}``.

The YAML is read by :mod:`strict_yaml`'s loader, to which the one tag ``!!opencv-matrix`` says nothing and does nothing.
The XML is read by the standard library after any DOCTYPE is refused, which is what ``defusedxml`` would do: without one
there are no entities, neither to expand nor to fetch.
"""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import yaml

from skelgraph.errors import FormatError
from skelgraph.files.yaml_file import MAX_BYTES, StrictLoader, yaml_errors

MATRIX_TAG = "tag:yaml.org,2002:opencv-matrix"
_WORD = re.compile(r'"[^"]*"|\S+')
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$")


class _Loader(StrictLoader):
    """Takes ``!!opencv-matrix`` before a mapping for a plain mapping; every other tag stays an error."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        if isinstance(event, yaml.MappingStartEvent) and event.tag == MATRIX_TAG:
            event.tag = None
        return super().compose_node(parent, index)


def parse_yaml(text: str, source: str) -> Any:
    """The value in a YAML text; ``source`` names it in errors.

    Raises:
        FormatError: naming source and line, as :func:`strict_yaml.parse`.
    """
    if len(text) > MAX_BYTES:
        raise FormatError(f"{source}: {len(text)} characters; a YAML file may hold at most {MAX_BYTES}")
    # OpenCV before 5 writes "%YAML:1.0", which is no directive of YAML's; the line stays, so that errors count right.
    text = re.sub(r"\A\s*%YAML:1\.\d", "#", text)
    with yaml_errors(source):
        return yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader


def parse_xml(text: str, source: str) -> dict[str, Any]:
    """The top-level entries of an ``<opencv_storage>``: matrices, numbers, words and lists of words; else None.

    Raises:
        FormatError: naming source, for a DOCTYPE, ill-formed XML, another root or an entry that is duplicated.
    """
    if len(text) > MAX_BYTES:
        raise FormatError(f"{source}: {len(text)} characters; an XML file may hold at most {MAX_BYTES}")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise FormatError(f"{source}: a DOCTYPE is not read; OpenCV writes none")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise FormatError(f"{source}, line {error.position[0]}: not readable as XML: {error}") from None
    if root.tag != "opencv_storage":
        raise FormatError(f"{source}: expected <opencv_storage>, found <{root.tag[:40]}>")
    result: dict[str, Any] = {}
    for entry in root:
        if entry.tag in result:
            raise FormatError(f"{source}: <{entry.tag}> is duplicated")
        result[entry.tag] = _xml_value(entry)
    return result


def _xml_value(entry: ElementTree.Element) -> Any:
    children = list(entry)
    if not children:  # a word, a number, or a list of them
        words = [_scalar(word) for word in _WORD.findall(entry.text or "")]
        return words[0] if len(words) == 1 else words
    if {child.tag for child in children} == {"_"}:
        return [_scalar((child.text or "").strip()) for child in children]
    if entry.get("type_id") != "opencv-matrix":
        return None
    matrix: dict[str, Any] = {child.tag: _scalar((child.text or "").strip()) for child in children}
    matrix["data"] = [_scalar(word) for word in (entry.findtext("data") or "").split()]
    return matrix


def _scalar(word: str) -> Any:
    """A number, or the word itself, without the quotes that OpenCV puts around one that looks like a number."""
    if _NUMBER.match(word):
        return float(word) if set(word) & set(".eE") else int(word) if len(word) < 19 else word
    return word[1:-1] if len(word) > 1 and word[0] == word[-1] == '"' else word
