"""What comes from data reaches a terminal as text alone; a reader that goes is no failure."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simsearch import __version__
from simsearch.cli.arguments import completions, is_setting
from simsearch.cli.check import print_report
from simsearch.cli.input import read_input
from simsearch.cli.printing import matches_json, print_matches, print_runs
from simsearch.cli.terminal import PrintableFormatter, printable, show, show_json
from simsearch.errors import UsageError
from simsearch.reading.values import Artwork, Match
from simsearch.runs.checks.report import CheckLine, CheckReport
from simsearch.runs.record import RunRecord
from simsearch.settings.config import Config
from tests.cli.test_main import in_process

# Colours, a window's title, a clipboard, one byte for an escape, a line of its own, text turned round,
# half a character, and Rich's own markup.
HOSTILE = (
    "A\x1b[31m\x1b]0;x\x07\x1b]52;c;aGk=\x1b\\\x9b2J\rB\nC\u202eD\x7f\ud800[red]E[/red]\x00\u2028F"
)
OBEYED = set(map(chr, [*range(32), *range(0x7F, 0xA0), 0x202E, 0x2028, 0xD800])) - {"\n"}


class HostileMatches(list[Match]):
    """The matches of a space as `print_matches` needs them."""

    space = HOSTILE


def matches() -> Any:
    artwork = Artwork(HOSTILE, HOSTILE, (HOSTILE,), image_uri=HOSTILE)
    return HostileMatches([Match(1, artwork, 0.5)])


def as_record() -> RunRecord:
    record = RunRecord("1", "run", "2026-11-30T01:00:00+00:00", "host", 1, "0")
    record.error = HOSTILE
    return record


def checked() -> CheckReport:
    return CheckReport(Config(), 0.0, [CheckLine(HOSTILE, "wrong", HOSTILE, HOSTILE)])


PRINTED: dict[str, Callable[[], object]] = {
    "query": lambda: print_matches(matches()),
    "query --json": lambda: show_json(matches_json(matches())),
    "runs": lambda: print_runs([as_record()]),
    "check": lambda: print_report(checked()),
    "a line": lambda: show(HOSTILE.replace("\n", "")),
    "an error": lambda: in_process("run", f"root=gs://{HOSTILE}"),
}


@pytest.mark.slow
@pytest.mark.parametrize("command", PRINTED)
def test_a_hostile_title_is_printed_as_text(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    PRINTED[command]()
    done = capsys.readouterr()
    assert not OBEYED & set(done.out + done.err)


def test_an_error_about_a_hostile_name_is_one_printable_line(tmp_path: Path) -> None:
    possible = HOSTILE.replace("\0", "").replace("\ud800", "")
    done = in_process("run", f"{tmp_path}/{possible}")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert not OBEYED & set(done.stderr)


def test_json_says_the_same_and_a_log_line_stays_a_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_json({"title": HOSTILE})
    assert json.loads(capsys.readouterr().out) == {"title": HOSTILE}
    record = logging.LogRecord("x", logging.INFO, "", 0, "left out: %s", (HOSTILE,), None)
    line = PrintableFormatter().format(record)
    assert "\n" not in line
    assert not OBEYED & set(line)


def test_honest_titles_stay_as_they_are() -> None:
    for title in ("Ivy, 1853–1336 B.C.", "葛飾北斎", "[Untitled] 🖼", "naïve Œuvre", "نقاشی"):
        assert printable(title) == title
    assert printable("a\u00a0b\u3000c\td") == "a b c d"


@pytest.mark.slow
@pytest.mark.parametrize("words", [["perturbations"], ["config", "show", "--all"], ["--help"]])
def test_a_reader_that_goes_is_no_failure(words: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "simsearch", *words],
        stdout=writing,
        stderr=subprocess.PIPE,
        timeout=400,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.slow
def test_a_pipe_is_bounded_in_time_and_in_bytes(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    started = time.monotonic()
    with pytest.raises(UsageError, match=r"a pipe that did not end in 0\.2 s"):
        read_input(str(fifo), 100, seconds=0.2)
    assert time.monotonic() - started < 10
    fifo.open("wb").close()  # whoever still reads it comes to its end
    assert len(read_input("/dev/zero", 1000)) == 1001
    with pytest.raises(UsageError, match="Is a directory"):
        read_input(str(tmp_path), 100)


def test_the_version_and_the_words_that_a_shell_offers(tmp_path: Path) -> None:
    assert in_process("--version").stdout == f"{__version__}\n"
    (tmp_path / "paintings").mkdir()
    assert completions(f"{tmp_path}/pai") == [f"{tmp_path}/paintings"]
    assert "extract.batch_size=" in completions("extract.b")


@pytest.mark.parametrize(
    ("word", "setting"),
    [
        ("root=/data/year=1885", True),
        ("extract.weights_for.open_clip:ViT-B-32/laion2b=[x]", True),
        ("roots=3", True),
        ("/data/year=1885", False),
        ("./a=b", False),
        ("~/a=b", False),
        ("s3://bucket/year=1885", False),
        ("data.v2/year=1885", False),
        ("paintings", False),
    ],
)
def test_a_path_with_an_equals_sign_is_a_path(word: str, setting: bool) -> None:
    assert is_setting(word) is setting
