"""A process ends with the code it was given, whatever was left behind in it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from simsearch.runtime.background import run_within

ENDING = """
import threading
from simsearch.runtime.background import end_process, run_within
try:
    run_within(0.05, {work})
    print("done")
except TimeoutError:
    print("given up")
end_process(3)
"""


@pytest.mark.parametrize(
    ("work", "said"), [("int", "done\n"), ("threading.Event().wait", "given up\n")]
)
def test_a_process_ends_at_once_with_its_code_and_what_it_said_is_read(
    work: str, said: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ENDING.format(work=work)], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, said, "")


def test_a_process_that_nobody_reads_any_more_ends_as_it_would() -> None:
    program = "from simsearch.runtime.background import end_process; print(input()); end_process(0)"
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = None
        _, error = process.communicate(b"said to nobody\n", timeout=60)
    assert (process.returncode, error) == (0, b"")


LEFT = """
import threading
from simsearch.runtime.background import Background, run_within, work_goes_on
over = threading.Event()
try:
    run_within(0.05, over.wait)
except TimeoutError:
    print(work_goes_on())
over.set()
print(run_within(60, lambda: 7))
for thread in threading.enumerate():
    if isinstance(thread, Background):
        thread.ended.wait(60)
print(work_goes_on())
"""


def test_work_is_left_behind_until_it_is_over() -> None:
    """In a process of its own: in this one, other tests leave work behind."""
    done = subprocess.run([sys.executable, "-c", LEFT], capture_output=True, text=True, timeout=100)
    assert (done.stdout, done.stderr) == ("True\n7\nFalse\n", "")


def test_what_the_work_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        run_within(60, lambda: 1 // 0)
