"""`python -m docs.generate`: write the pages of the documentation that are made from the code.

Settings, commands, the Python interface and the licences go to docs/pages/reference; the project's own
files (CHANGELOG.md, …) and the benchmarks go to docs/pages/project. Git ignores both folders.
"""

from __future__ import annotations

import posixpath
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

import simsearch
from docs import licences
from simsearch.cli.main import app
from simsearch.settings.config import Config
from simsearch.settings.shown import COMMON

DOCS = Path(__file__).parent
PROJECT = DOCS.parent
MADE = "<!-- Made by docs/generate.py; change the code that it describes. -->\n"
COPIES = {
    "CHANGELOG.md": "project/changelog.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "SECURITY.md": "project/security.md",
    "tests/benchmarks/README.md": "project/benchmarks.md",
}
LINK = re.compile(r"(!?\[[^\]]*\])\(([^)\s#]*)(#[^)\s]*)?\)")


def write_pages(pages: Path) -> None:
    """Write every generated page below the folder `pages`."""
    for folder in ("reference", "project"):
        shutil.rmtree(pages / folder, ignore_errors=True)
        (pages / folder).mkdir(parents=True)
    for name, text in (
        ("settings", settings_page()),
        ("commands", commands_page()),
        ("api", api_page()),
        ("licences", licences.page(PROJECT / "requirements.lock")),
    ):
        (pages / "reference" / f"{name}.md").write_text(MADE + text, encoding="utf-8")
    for source, page in COPIES.items():
        text = (PROJECT / source).read_text(encoding="utf-8")
        (pages / page).write_text(MADE + with_links_of_a_page(text, source, page), encoding="utf-8")
    for drawing in (PROJECT / "tests/benchmarks").glob("*.svg"):
        shutil.copy(drawing, pages / "project" / drawing.name)


def with_links_of_a_page(text: str, source: str, page: str) -> str:
    """Return the text of the project's file `source` as the site's page `page` has to say it.

    A link to a page, or to a file that is copied with it, becomes relative to the page. Of a link to
    anything else in the repository only the words stay.
    """

    def moved(match: re.Match[str]) -> str:
        words, target, anchor = match[1], match[2], match[3] or ""
        if not target or "://" in target or words.startswith("!"):
            return match[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        site_page = COPIES.get(path, path.removeprefix("docs/pages/"))
        if site_page == path:
            return words[1:-1] if words.startswith("[`") else f"{words[1:-1]} (`{path}`)"
        return f"{words}({posixpath.relpath(site_page, posixpath.dirname(page))}{anchor})"

    return LINK.sub(moved, text)


def settings_page() -> str:
    """Every setting with its default, its values and its description, a table a section."""
    lines = [
        "# Settings",
        "",
        "A settings file is YAML and holds only what differs from the defaults below. On the command "
        "line `section.name=value` replaces a value. `simsearch config show` prints the settings that "
        "a run would use: those in bold and those that differ from their default, and with `--all` "
        "every one.",
        "",
        "```yaml",
        "root: demo",
        "extract:",
        "  batch_size: 64",
        "```",
        "",
        "## The whole run",
        "",
        *_table(Config, ""),
    ]
    for name, field in Config.model_fields.items():
        for model in _models(field.annotation):
            suffix = _kind(model)
            lines += ["", f"## {name}{suffix}", "", _first_line(model), ""]
            lines += _table(model, f"{name}." if not suffix else "")
            for item, listed in model.model_fields.items():
                for part in _models(listed.annotation):
                    if part is not listed.annotation:  # a list of such sections
                        lines += ["", f"### Each of {name}.{item}", "", _first_line(part), ""]
                        lines += _table(part, "")
    return "\n".join(lines) + "\n"


def _table(model: type[BaseModel], prefix: str) -> list[str]:
    rows = ["| setting | default | is |", "|---|---|---|"]
    for name, default, values, description in _rows(model, prefix):
        words = f"**`{name}`**" if name in COMMON else f"`{name}`"
        rows.append(f"| {words} | {default} | {_cell(description)} *({_cell(values)})* |")
    return rows


def _rows(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, str, str, str]]:
    for name, field in model.model_fields.items():
        sections = _models(field.annotation)
        if len(sections) == 1 and prefix and field.annotation is sections[0]:
            yield from _rows(sections[0], f"{prefix}{name}.")
        elif not (sections and not prefix and field.annotation in sections):
            yield f"{prefix}{name}", _default(field), _values(field), field.description or ""


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The sections that a setting's type holds, in their order."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]


def _kind(model: type[BaseModel]) -> str:
    """The words that tell apart sections of the same name, such as heads of one kind and another."""
    field = model.model_fields.get("kind")
    return (
        ""
        if field is None
        else f": {' or '.join(str(kind) for kind in get_args(field.annotation))}"
    )


def _first_line(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split("\n\n")[0].split())


def _default(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True, validated_data={})
    if default is PydanticUndefined:
        return "required"
    if default == "":
        return "left out"
    if isinstance(default, tuple) and default and isinstance(default[0], BaseModel):
        return "see `simsearch config show`"
    if isinstance(default, dict) and default:
        return ", ".join(f"`{name}`" for name in default)
    if isinstance(default, tuple):
        return f"`[{', '.join(str(value) for value in default)}]`"
    words = {None: "null", True: "true", False: "false"}
    return f"`{words[default] if default is None or isinstance(default, bool) else default}`"


def _values(field: FieldInfo) -> str:
    limits = [_limit(item) for item in field.metadata]
    return ", ".join(filter(None, [_type(field.annotation), *limits]))


def _type(annotation: Any) -> str:
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return ", ".join(filter(None, [_type(parts[0]), *(_limit(item) for item in parts[1:])]))
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in parts)
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(_type(part) for part in parts))
    if origin is tuple:
        return f"list of {_type(parts[0])}"
    if origin is dict:
        return f"names, each with {_type(parts[1])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"settings{_kind(annotation)}"
    names = {str: "text", int: "whole number", float: "number", bool: "true or false"}
    return "null" if annotation is NoneType else names.get(annotation, str(annotation))


def _limit(constraint: Any) -> str:
    signs = {"gt": "> ", "ge": "≥ ", "lt": "< ", "le": "≤ "}
    given = [
        f"{sign}{getattr(constraint, name):,}"
        for name, sign in signs.items()
        if hasattr(constraint, name)
    ]
    return ", ".join(given)


def _cell(text: str) -> str:
    """A text as a cell of a table says it: plain, but for code in backticks."""
    parts = text.replace("\n", " ").split("`")
    parts[::2] = [re.sub(r"[<{*|]", _escaped, part) for part in parts[::2]]
    return "`".join(parts)


def _escaped(character: re.Match[str]) -> str:
    return f"&#{ord(character[0])};"


def commands_page() -> str:
    """Every command with its help, its arguments and its options."""
    lines = [
        "# Commands",
        "",
        "Most commands take `[CONFIG.yaml] [key=value]...`: a settings file, then "
        "[settings](settings.md) that replace its values. Exit codes: 0 done, 1 the run failed (what "
        "was computed is kept), 2 misuse (nothing was done).",
    ]
    group: Any = typer.main.get_command(app)
    for name, command in sorted(group.commands.items()):
        members = getattr(command, "commands", None)
        lines += _command(f"simsearch {name}", command)
        for member, subcommand in (members or {}).items():
            lines += _command(f"simsearch {name} {member}", subcommand, "###")
    return "\n".join(lines) + "\n"


def _command(name: str, command: Any, level: str = "##") -> list[str]:
    lines = ["", f"{level} {name}", "", command.help or ""]
    rows = [_parameter(parameter) for parameter in command.params if parameter.name != "help"]
    if rows:
        lines += ["", "| argument | is |", "|---|---|", *rows]
    return lines


def _parameter(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        label = parameter.metavar or parameter.name.upper()
    else:
        label = ", ".join([*parameter.opts, *parameter.secondary_opts])
    help_text = parameter.help or ""
    if parameter.default not in (None, False, True, "") and not callable(parameter.default):
        help_text += f" (default: {parameter.default})"
    return f"| `{label}` | {_cell(help_text)} |"


def api_page() -> str:
    """The Python interface: the names of `simsearch.__all__`, each from its docstring."""
    lines = [
        "# Python reference",
        "",
        "`import simsearch` gives these names. [Python](../python.md) shows how to use them.",
        "",
    ]
    apart = ("errors", "__version__")
    functions = [name for name in simsearch.__all__ if name.islower() and name not in apart]
    classes = [name for name in simsearch.__all__ if not name.islower()]
    lines += [f"::: simsearch.{name}\n" for name in [*functions, *classes]]
    tree = (simsearch.errors.__doc__ or "").strip()
    lines += ["## simsearch.errors", "", "```text", tree, "```", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    write_pages(DOCS / "pages")
