"""The schedule: cron's times on a zone's clock, our units checked by systemd itself, real processes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import pytest

from simsearch.errors import UsageError
from simsearch.runs.operations import schedule
from simsearch.runs.operations.schedule import Schedule, systemd_units


def test_times_follow_the_zones_clock_over_a_change_to_summer_time() -> None:
    nightly = Schedule.parse("0 3 * * *", "Europe/Paris")
    winter = nightly.following(datetime(2026, 3, 27, 12, tzinfo=UTC))
    assert winter.astimezone(UTC) == datetime(2026, 3, 28, 2, tzinfo=UTC)
    summer = nightly.following(datetime(2026, 3, 29, 12, tzinfo=UTC))
    assert summer.astimezone(UTC) == datetime(2026, 3, 30, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "timezone", "message"),
    [
        ("0 3 * *", "UTC", "five fields"),
        ("0 25 * * *", "UTC", "Bad hour"),
        ("0 3 30 2 *", "UTC", "Bad day-of-month"),
        ("0 3 * * *", "Mars/Olympus", "no such time zone"),
    ],
)
def test_what_cannot_be_is_refused(cron: str, timezone: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Schedule.parse(cron, timezone)


@pytest.mark.parametrize(
    "cron",
    ["0 3 * * *", "*/15 * * * *", "30 2 * * MON-FRI", "0 4 1,15 * SUN", "0 5 L * *", "5 1 * 1-6 *"],
)
def test_systemd_understands_the_timer_as_cron_does(cron: str) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze; to run this test: apt-get install -y systemd")
    plan = Schedule.parse(cron, "Europe/Paris")
    units = systemd_units(plan, ["conf.yaml"])
    lines = [
        line.removeprefix("OnCalendar=") for line in units.splitlines() if "OnCalendar=" in line
    ]
    base = datetime(2026, 11, 24, 12, tzinfo=UTC)
    expected, moment = [], base
    for _ in range(8):
        moment = plan.following(moment)
        expected.append(moment.astimezone(UTC))
    moments = sorted({moment for line in lines for moment in systemd_times(line, base)})[:8]
    assert moments == expected


def test_systemd_accepts_the_printed_units(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze; to run this test: apt-get install -y systemd")
    text = systemd_units(Schedule.parse("0 3 * * *", "UTC"), ["my conf.yaml", "extract.ks=[1, 2]"])
    service, _, timer = text.partition("# /etc/systemd/system/simsearch.timer")
    paths = [tmp_path / "simsearch.service", tmp_path / "simsearch.timer"]
    for path, unit in zip(paths, (service, timer), strict=True):
        path.write_text(unit)
    done = subprocess.run(
        ["systemd-analyze", "verify", *map(str, paths)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def systemd_times(calendar: str, base: datetime) -> list[datetime]:
    done = subprocess.run(
        [
            "systemd-analyze",
            "calendar",
            "--iterations=8",
            f"--base-time={base:%Y-%m-%d %H:%M:%S} UTC",
            calendar,
        ],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "TZ": "UTC"},
    )
    times = [
        line.partition(":")[2].strip()
        for line in done.stdout.splitlines()
        if line.strip().startswith(("Next elapse:", "Iteration #", "Iter. #", "(in UTC):"))
    ]
    in_utc = [time for time in times if time.endswith("UTC")]
    return [
        datetime.strptime(time, "%a %Y-%m-%d %H:%M:%S UTC").replace(tzinfo=UTC) for time in in_utc
    ]


def test_systemd_cannot_say_every_cron_expression() -> None:
    with pytest.raises(UsageError, match="use `simsearch schedule` as a service"):
        systemd_units(Schedule.parse("0 3 * * 5#2", "UTC"), [])


def test_times_that_passed_during_a_long_run_are_skipped_and_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    hourly = Schedule.parse("0 * * * *", "UTC")
    now = datetime.now(UTC)
    long_ago = datetime.fromtimestamp(now.timestamp() - 3 * 3600, UTC)
    due = schedule._next_due(hourly, hourly.following(long_ago))
    assert due > now
    assert "2 times were skipped" in caplog.text or "1 times were skipped" in caplog.text


@pytest.mark.parametrize(
    ("back", "expected", "logged"),
    [
        (timedelta(days=4000), datetime(2015, 12, 18, 3, tzinfo=UTC), True),
        (timedelta(seconds=40), datetime(2026, 11, 30, 3, tzinfo=UTC), False),
    ],
)
def test_a_clock_that_is_set_back_binds_no_run_to_another_decade(
    back: timedelta,
    expected: datetime,
    logged: bool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    nightly = Schedule.parse("0 3 * * *", "UTC")
    start = datetime(2026, 11, 30, 1, tzinfo=UTC)
    moments = [start, start, start - back, start - back, expected, expected]

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Clock:  # noqa: ARG003
            moment = moments.pop(0) if len(moments) > 1 else moments[0]
            return cls.fromtimestamp(moment.timestamp(), UTC)

    class NoWait(threading.Event):
        waits = 0

        def wait(self, timeout: float | None = None) -> bool:
            self.waits += 1
            assert self.waits < 10, "it waits for another decade"
            return False

    monkeypatch.setattr(schedule, "datetime", Clock)
    due = nightly.following(start)
    assert schedule._sleep_until(nightly, due, NoWait()) == expected
    assert ("the clock was set back" in caplog.text) is logged


@pytest.mark.slow
def test_a_stopped_schedule_stops_its_run_and_ends(tmp_path: Path) -> None:
    """A real schedule in a process of its own; its run is a program that only waits."""
    mark = tmp_path / "started"
    program = f"""
import sys
from datetime import UTC, datetime, timedelta, tzinfo, timedelta
from simsearch.runs.operations import schedule
from simsearch.settings.config import Config
schedule.command = lambda words: [sys.executable, "-c", "import pathlib, time; pathlib.Path({str(mark)!r}).touch(); time.sleep(60)"]
schedule.Schedule.following = lambda self, moment: datetime.now(UTC) + timedelta(seconds=0.2)
schedule.serve(schedule.Schedule.parse("* * * * *", "UTC"), Config(root={str(tmp_path / "root")!r}), [], None)
"""
    process = subprocess.Popen([sys.executable, "-c", program])
    deadline = time.monotonic() + 60
    while not mark.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
