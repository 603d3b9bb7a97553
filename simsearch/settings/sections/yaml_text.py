"""YAML as settings need it: text stays text, and no key may stand twice.

PyYAML follows YAML 1.1, which makes a date of 2026-11-29, 90 of 1:30, 10 of 0o12 and 8 of 010, and keeps
the last of two sections that have the same name. Here only `null`, `true`, `false` and plain whole
numbers are more than text. A setting that is a number reads its own number from the text.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

DEEPEST = 40  # levels of nesting; settings have five


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012

    def compose_node(self, parent: Any, index: Any) -> Any:
        self.depth = getattr(self, "depth", 0) + 1
        if self.depth > DEEPEST:
            raise yaml.constructor.ConstructorError(None, None, "nested too deeply", None)
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None,
                    None,
                    f"{key.value!r} is given twice, in lines {seen[key.value]} and {line}; join them",
                    None,
                )
            seen[str(key.value)] = line
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:null", re.compile(r"^(?:null|Null|NULL|~|)$"), ["n", "N", "~", ""]
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^-?(?:0|[1-9][0-9]*)$"), list("-0123456789")
)
_Loader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"^<<$"), ["<"])


def read_document(text: str) -> Any:
    """The value of a YAML document. Raises yaml.YAMLError, also for a key that stands twice."""
    try:
        return yaml.load(text, _Loader)  # noqa: S506  (a SafeLoader)
    except (
        ValueError,
        AttributeError,
    ) as error:  # a tag such as !!int before text that is no number
        raise yaml.YAMLError(f"a value is not of its kind ({error})") from None


def read_value(text: str) -> Any:
    """The value of a word on a command line, read as in a document, except that `#` begins no comment.
    Raises yaml.YAMLError."""
    value = read_document(text)
    plain = text.strip()
    if isinstance(value, str | int | None) and "#" in plain and plain[:1] not in ("'", '"'):
        return plain
    return value
