"""Submit a job to a Ray cluster under a fixed name, and follow it to its end.

Because of the name, a submitter can be killed and started again: it finds the job under its name and
follows it instead of starting another.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import join
from typing import Any, TextIO

from simsearch.errors import SimsearchError

POLL_SECONDS = 2.0
LAST_LINES = 20
DONE = ("SUCCEEDED", "FAILED", "STOPPED")
STOPPED = 3  # exit code for a job that somebody stopped: it did not fail, and is not started again


# Variables that a run reads. Ray shows those of a job to all who see its jobs, so that none are sent.
READ_BY_RUNS = re.compile(r"(AWS|SIMSEARCH)_\w+|(HTTPS?|ALL|NO)_PROXY", re.IGNORECASE)
LEFT_BEHIND = (
    "these variables stay here, as everyone who sees the cluster's jobs would see them; the job has those "
    "of its node"
)


@dataclass(frozen=True)
class Submission:
    """A job to submit: its command line, which runs in a copy of `folder`, and the name that the caller
    chose."""

    name: str
    command: tuple[str, ...]
    folder: Path | None = None


def submit_and_follow(
    submission: Submission,
    *,
    address: str | None = None,
    patience: float = 300.0,
    output: TextIO = sys.stdout,
) -> int:
    """Run a job, or follow an existing one of that name. Returns the job's exit code, or STOPPED for a job
    that was stopped (`ray job stop`).

    `address` is the cluster's dashboard (None: $RAY_ADDRESS). A job of that name that failed is started
    again as `<name>-2`, then `-3`: jobs resume. A job that succeeded or was stopped is not run again.
    Raises SimsearchError if the cluster cannot be reached for `patience` seconds, or if it no longer knows
    the job, as after a restart of its head.
    """
    client = _Client(address, patience)
    name, status = _find_job(client, submission)
    if status is None:
        if client.submit(name, submission):
            print(f"submitted {name}", file=output)
            if left := list_left_behind(os.environ):
                print(f"{LEFT_BEHIND}: {', '.join(left)}", file=output)
        else:
            print(f"{name} was submitted by another meanwhile; following it", file=output)
        output.flush()
    elif status == "STOPPED":
        print(
            f"{name} was stopped and is not started again; submit it under another name to go on",
            file=output,
            flush=True,
        )
        return STOPPED
    elif status in DONE:
        print(f"{name} has succeeded already; its last lines:", file=output)
        print("\n".join(client.logs(name).splitlines()[-LAST_LINES:]), file=output, flush=True)
        return 0
    else:
        print(f"{name} is there already ({status.lower()}); following it", file=output, flush=True)
    return _follow(client, name, output)


def list_left_behind(environment: Mapping[str, str]) -> list[str]:
    """The names of the variables of an environment that a run would read and a job does not get."""
    return sorted(
        name for name, value in environment.items() if value and READ_BY_RUNS.fullmatch(name)
    )


def _find_job(client: _Client, submission: Submission) -> tuple[str, str | None]:
    """The first of `name`, `name-2`, … that has not failed, and its status. None: it does not exist."""
    number, name = 1, submission.name
    while (status := client.status(name)) == "FAILED":
        number += 1
        name = f"{submission.name}-{number}"
    return name, status


def _follow(client: _Client, name: str, output: TextIO) -> int:
    """Copy the job's log until the job ends. Returns the job's exit code."""
    printed = 0
    while True:
        status = client.status(name)
        text = client.logs(name) if status is not None else ""
        output.write(text[printed:])
        output.flush()
        printed = max(printed, len(text))
        if status is None:
            raise SimsearchError(
                f"{name}: the cluster does not know it any more, was its head started again? "
                "Submit it again: what is stored is not computed again"
            )
        if status in DONE:
            code = STOPPED if status == "STOPPED" else client.exit_code(name)
            print(f"{name} {status.lower()}, exit code {code}", file=output, flush=True)
            return code
        time.sleep(POLL_SECONDS)


class _Client:
    """Ray's job client, which repeats requests while the cluster does not answer."""

    def __init__(self, address: str | None, patience: float) -> None:
        # These imports take seconds, which `--help` spares.
        from ray.exceptions import AuthenticationError
        from ray.job_submission import JobSubmissionClient

        self._refused = AuthenticationError
        self._patience = patience
        self._address = address
        self._client: Any = self._asked(lambda: JobSubmissionClient(address))

    def submit(self, name: str, submission: Submission) -> bool:
        """Submit the job. Returns whether this request was taken, False if the job is there by another's, or
        by an earlier request whose answer was lost."""
        environment = {} if submission.folder is None else {"working_dir": str(submission.folder)}
        try:
            self._client.submit_job(
                entrypoint=join(submission.command), submission_id=name, runtime_env=environment
            )
        except (OSError, RuntimeError) as error:
            # Two submitters at once, or an answer that was lost: the name keeps the job single.
            if self.status(name) is None:
                raise SimsearchError(f"{name}: not taken: {_first_line(error)}") from error
            return False
        return True

    def status(self, name: str) -> str | None:
        """The status of a job. None if there is no such job."""
        info = self._info(name)
        return None if info is None else str(info.status.value)

    def exit_code(self, name: str) -> int:
        info = self._info(name)
        if info is not None and info.status.value == "SUCCEEDED":
            return 0
        return int(getattr(info, "driver_exit_code", None) or 1)

    def logs(self, name: str) -> str:
        return str(self._asked(lambda: self._client.get_job_logs(name)) or "")

    def _info(self, name: str) -> Any:
        return self._asked(lambda: self._client.get_job_info(name))

    def _asked(self, ask: Callable[[], Any]) -> Any:
        """The dashboard's answer. None if it says that there is no such job."""
        deadline = time.monotonic() + self._patience
        while True:
            try:
                return ask()
            except self._refused:
                raise SimsearchError(
                    f"Ray's dashboard at {self._address or '$RAY_ADDRESS'} refuses the token; set "
                    "RAY_AUTH_MODE=token and RAY_AUTH_TOKEN to the cluster's own"
                ) from None
            except (OSError, RuntimeError) as error:  # `requests` raises OSError, too
                reason = _first_line(error)
                if "status code 404" in reason:
                    return None
                if "status code 4" in reason:  # a token that is wrong stays wrong
                    raise SimsearchError(f"Ray's dashboard refuses: {reason}") from error
                if time.monotonic() > deadline:
                    raise SimsearchError(
                        f"cannot reach Ray's dashboard at {self._address or '$RAY_ADDRESS'}: {reason}; "
                        "a job that was submitted goes on, and the same command follows it"
                    ) from error
                time.sleep(POLL_SECONDS)


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "no message")
