"""The code on the documentation's pages is right: command lines parse, settings load, Python runs."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.exceptions import TyperException

from simsearch.cli.main import app
from simsearch.errors import SimsearchError
from simsearch.settings.config import load_config
from simsearch.storage.storage import Storage
from tests.support.given_snapshots import publish_vectors
from tests.support.markdown import NAMES, PAGES, PROJECT, code_blocks, inline_code
from tests.support.spaces import SPACE

OTHER_TOOLS = "other-tools.md"
NEED_A_RUN = ("simsearch.run(", ".search(", ".positions(")  # and its networks or maps
LANGUAGES = {
    "shell",
    "yaml",
    "json",
    "python",
    "text",
    "",
}  # "": drawings and what a program prints


@cache
def program() -> Any:
    return typer.main.get_command(app)


def parse(line: str) -> None:
    """Parse a command line that begins with `simsearch`. Raises a TyperException or a SimsearchError."""
    command = program()
    arguments = [word for word in shlex.split(line, comments=True)[1:] if word != "--help"]
    while arguments and (members := getattr(command, "commands", None)):
        name = arguments.pop(0)
        if name not in members:
            raise TyperException(f"no command {name}")
        command = members[name]
    if command is program():  # its options alone, such as --help
        return
    command.make_context(command.name, list(arguments))
    load_config(None, [word for word in arguments if re.match(r"[a-z_.0-9]+=", word)])


def command_lines(page: Path) -> Iterator[str]:
    """The commands that a page tells its reader to type, in blocks and within sentences."""
    for block in code_blocks(page):
        if block.language == "shell":
            yield from block.text.replace("\\\n", " ").splitlines()
    yield from (code for code in inline_code(page) if not is_name(code))


def is_name(code: str) -> bool:
    """Whether a sentence only names a command: `simsearch snapshots gc` without what it needs."""
    return re.fullmatch(r"simsearch( [a-z]+)+", code) is not None


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_command_line_parses(page: Path) -> None:
    wrong = []
    for line in command_lines(page):
        if not (match := re.match(r" *(?:\.venv/bin/)?(simsearch [a-z-].*)", line)):
            continue
        try:
            parse(match[1])
        except (TyperException, SimsearchError) as error:
            wrong.append(f"{line}: {error}")
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_command_that_a_sentence_names_is_there(page: Path) -> None:
    if page.name == "CHANGELOG.md":  # it also names commands that were removed
        return
    for code in filter(is_name, inline_code(page)):
        members: Any = program().commands
        for name in code.split()[1:]:
            if members is None:  # what follows are arguments, as in `experiment study`
                break
            assert name in members, code
            members = getattr(members[name], "commands", None)


@pytest.mark.parametrize(
    "line",
    [
        "simsearch rum paintings.yaml",
        "simsearch run --retry",
        "simsearch run extract.batchsize=3",
        "simsearch snapshots lst",
    ],
)
def test_a_command_line_that_is_wrong_does_not_parse(line: str) -> None:
    with pytest.raises((TyperException, SimsearchError)):
        parse(line)


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_target_of_make_and_every_job_is_there(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    for line in command_lines(page):
        if match := re.match(r"make ([a-z-]+)\b", line):
            assert match[1] in targets, line
        for job in re.findall(r"\bjobs/\w+\.py\b", line):
            assert (PROJECT / job).is_file(), line


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_block_of_settings_loads(page: Path, tmp_path: Path) -> None:
    for block in code_blocks(page):
        assert block.language in LANGUAGES, f"{page.name}:{block.line}"
        if block.language == "yaml":
            file = tmp_path / f"line-{block.line}.yaml"
            file.write_text(block.text, encoding="utf-8")
            load_config(str(file), [])
        elif block.language == "json":
            json.loads(block.text)


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `demo` is a root with a published snapshot."""
    folder = tmp_path_factory.mktemp("collection")
    ids = [f"work-{number}" for number in range(20)]
    vectors = np.random.default_rng(1).normal(size=(len(ids), SPACE.dimension)).astype(np.float32)
    publish_vectors(Storage(str(folder / "demo")), ids, vectors)
    return folder


# The blocks of `other-tools.md` follow from each other, and have a test of their own.
ALONE = [(page, name) for page, name in zip(PAGES, NAMES, strict=True) if page.name != OTHER_TOOLS]


@pytest.mark.parametrize("page", [page for page, _ in ALONE], ids=[name for _, name in ALONE])
def test_every_block_of_python_runs(
    page: Path, collection: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(collection)
    for block in code_blocks(page):
        if block.language == "python":
            code = compile(block.text, f"{page.name}:{block.line}", "exec")
            if not any(call in block.text for call in NEED_A_RUN):
                exec(code, {})
