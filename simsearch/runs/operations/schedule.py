"""`simsearch schedule`: reindex at the times of a cron expression, one run at a time.

Each run is a process of its own, so that a crash, a leak or a kill ends that run and not the schedule. A
time that comes during a run is skipped, and logged as skipped.
"""

from __future__ import annotations

import logging
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError
from prometheus_client import start_http_server

from simsearch.errors import StorageError, UsageError
from simsearch.runs.operations.prometheus import RunMetrics
from simsearch.runs.records import RECENT, last_success, list_records
from simsearch.settings.config import Config
from simsearch.storage.storage import root_of

log = logging.getLogger(__name__)

LONGEST_SLEEP = 30.0  # seconds within which a laptop's sleep or a changed clock is noticed
SET_BACK = timedelta(minutes=5)
"""If the clock is set back by less than this, the schedule waits instead of running a second time."""
FIELDS = "give five fields: minute, hour, day, month, weekday, such as '0 3 * * *'"
WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")


@dataclass(frozen=True)
class Schedule:
    """A cron expression on the clock of a time zone."""

    cron: str
    timezone: ZoneInfo

    @classmethod
    def parse(cls, cron: str, timezone: str) -> Schedule:
        """The schedule of an expression and a zone. Raises UsageError if one of them does not exist."""
        try:
            zone = ZoneInfo(timezone)
        except (ZoneInfoNotFoundError, ValueError, IsADirectoryError):
            raise UsageError(
                f"--timezone {timezone!r}: no such time zone; give a name such as Europe/Paris or UTC"
            ) from None
        if len(cron.split()) != 5:
            raise UsageError(f"--cron {cron!r}: {FIELDS}")
        try:
            CronSim(cron, datetime.now(zone))
        except CronSimError as error:
            raise UsageError(f"--cron {cron!r}: {error}; {FIELDS}") from None
        return cls(cron, zone)

    def following(self, moment: datetime) -> datetime:
        """The first time after `moment`. Raises UsageError for a time that never comes, as 31 February."""
        try:
            return next(CronSim(self.cron, moment.astimezone(self.timezone)))
        except StopIteration:
            raise UsageError(f"--cron {self.cron!r}: that time never comes") from None


def serve(schedule: Schedule, config: Config, words: Sequence[str], port: int | None) -> None:
    """Run `simsearch reindex WORDS` at the schedule's times until SIGTERM or SIGINT. The signal is passed on
    to a run in progress."""
    metrics = RunMetrics()
    _show_last(config, metrics)
    if port is not None:
        start_http_server(port, addr="127.0.0.1", registry=metrics.registry)
        log.info("Prometheus metrics on http://127.0.0.1:%s/metrics", port)
    stop = threading.Event()
    running: list[subprocess.Popen[bytes]] = []

    def stopped(_number: int, _frame: FrameType | None) -> None:
        stop.set()
        for process in running:
            process.terminate()

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, stopped)
    due = schedule.following(datetime.now(UTC))
    while not stop.is_set():
        log.info("next run at %s", due.isoformat(timespec="minutes"))
        reached = _sleep_until(schedule, due, stop)
        if reached is None:
            return
        running[:] = [subprocess.Popen(command(words))]  # noqa: S603  (our own command)
        code = running[0].wait()
        running.clear()
        log.log(logging.INFO if code == 0 else logging.ERROR, "run ended with exit code %s", code)
        _show_last(config, metrics)
        due = _next_due(schedule, reached)


def command(words: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "simsearch", "reindex", *words]


def _sleep_until(schedule: Schedule, due: datetime, stop: threading.Event) -> datetime | None:
    """Sleep until a run is due. Returns the time at which it was due, None if the schedule is stopped.

    If the clock is set back meanwhile by more than SET_BACK, the times that come again count.
    """
    latest = datetime.now(UTC)
    while (left := (due - (now := datetime.now(UTC))).total_seconds()) > 0:
        if latest - now > SET_BACK:
            due = schedule.following(now)
            log.warning(
                "the clock was set back from %s to %s; next run at %s",
                latest.isoformat(timespec="minutes"),
                now.isoformat(timespec="minutes"),
                due.isoformat(timespec="minutes"),
            )
            latest = now
            continue
        latest = max(latest, now)
        if stop.wait(min(left, LONGEST_SLEEP)):
            return None
    return None if stop.is_set() else due


def _next_due(schedule: Schedule, due: datetime) -> datetime:
    """The first time after `due` that is still to come. Times that passed are logged."""
    now = datetime.now(UTC)
    if due - now > SET_BACK:
        log.warning("the clock was set back to %s", now.isoformat(timespec="minutes"))
        return schedule.following(now)
    skipped = 0
    while (due := schedule.following(due)) <= now:
        skipped += 1
    if skipped:
        log.warning("%s times were skipped: the run before was still going", skipped)
    return due


def _show_last(config: Config, metrics: RunMetrics) -> None:
    try:
        recent = list_records(root_of(config), RECENT)
        success = last_success(root_of(config))
    except StorageError as error:
        log.warning("the run record cannot be read: %s", error)
        return
    if ended := [record for record in recent if record.ended is not None]:
        metrics.set(ended[0], success)


def systemd_units(schedule: Schedule, words: Sequence[str]) -> str:
    """A service and a timer with the schedule as OnCalendar, to be put under /etc/systemd/system."""
    times = CronSim(schedule.cron, datetime.now(schedule.timezone))
    script = Path(sys.executable).with_name("simsearch")
    line = shlex.join([str(script), "reindex", *words]).replace("%", "%%").replace("$", "$$")
    calendar = "\n".join(f"OnCalendar={expression}" for expression in _calendars(times, schedule))
    return f"""\
# /etc/systemd/system/simsearch.service
[Unit]
Description=simsearch reindex
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
WorkingDirectory={str(Path.cwd()).replace("%", "%%")}
# AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and the like, one NAME=value per line
EnvironmentFile=-/etc/simsearch.env
ExecStart={line}

# /etc/systemd/system/simsearch.timer
[Unit]
Description=simsearch reindex, {schedule.cron} {schedule.timezone.key}

[Timer]
{calendar}
Persistent=true

[Install]
WantedBy=timers.target

# then: systemctl daemon-reload && systemctl enable --now simsearch.timer
"""


def _calendars(times: CronSim, schedule: Schedule) -> list[str]:
    """OnCalendar expressions (systemd.time(7)). There are two if cron means "that day or that weekday"."""
    if times.LAST_WEEKDAY in times.days or any(
        isinstance(weekday, tuple) for weekday in times.weekdays
    ):
        raise UsageError(
            f"--cron {schedule.cron!r}: systemd cannot say a month's last or n-th weekday; use "
            "`simsearch schedule` as a service"
        )
    months = _write_list(times.months, range(1, 13))
    if times.LAST in times.days:
        day = f"{months}~01"
    else:
        day = f"{months}-{_write_list(times.days, range(1, 32))}"
    clock = f"{_write_list(times.hours, range(24))}:{_write_list(times.minutes, range(60))}:00"
    numbers = {int(str(weekday)) % 7 for weekday in times.weekdays}
    weekdays = (
        "" if len(numbers) == 7 else ",".join(WEEKDAYS[number] for number in sorted(numbers)) + " "
    )
    zone = schedule.timezone.key
    if times.day_and:
        return [f"{weekdays}*-{day} {clock} {zone}"]
    return [f"{weekdays}*-{months}-* {clock} {zone}", f"*-{day} {clock} {zone}"]


def _write_list(values: Iterable[int], everything: range) -> str:
    wanted = sorted(set(values))
    return "*" if wanted == list(everything) else ",".join(f"{value:02}" for value in wanted)
