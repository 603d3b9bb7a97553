"""Ray for one command: a cluster if the settings name one, else Ray inside this process."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import gettempdir
from typing import Any, TypeVar

import ray
from ray._private.services import canonicalize_bootstrap_address
from ray.exceptions import RayError, RayTaskError

from simsearch.errors import SimsearchError
from simsearch.runtime.background import run_within, work_goes_on
from simsearch.runtime.cluster_address import check_cluster_address
from simsearch.runtime.environment import IDLE_WORKERS, NO_USAGE_REPORTS
from simsearch.runtime.node_check import check_nodes, refusal
from simsearch.settings.sections.operation import RayConfig

log = logging.getLogger(__name__)

CLUSTER_SECONDS = 30.0  # in which the head of a cluster has to answer
STARTS = 3  # tries to start a node that takes too long
TOO_LATE = "timed out during startup"  # part of Ray's message about a node that took too long

T = TypeVar("T")


@contextmanager
def ray_session(config: RayConfig, files: Mapping[str, str] | None = None) -> Iterator[None]:
    """Connect to `config.address` or $RAY_ADDRESS, else start Ray here and stop it at the end.

    On a cluster, a process that has another installation, or does not see `files` (paths, and a text that
    each contains), does not work. NodeError names its node.

    An error that a stage raises on a worker comes out as the SimsearchError it was. If work was given up,
    Ray stops with the process. Raises SimsearchError if the cluster cannot be reached or Ray does not start
    here.
    """
    started = not ray.is_initialized()
    with ExitStack() as stack:
        if started:
            checked = stack.enter_context(check_nodes(files or {})) if config.cluster else {}
            _connect(config, checked)
        try:
            yield
        except RayError as error:
            raise refusal() or _own_error(error) from error
        finally:
            # Ray's own shutdown crashes if a thread still uses Ray.
            if started and not work_goes_on():
                ray.shutdown()


def _connect(config: RayConfig, environment: dict[str, Any]) -> None:
    """Connect to a cluster, whose processes get the runtime `environment`, or start Ray here."""
    check_cluster_address(config)
    address = config.cluster
    try:
        if address:
            _await_cluster(address)
            ray.init(
                address=address,
                log_to_driver=False,
                logging_level=logging.WARNING,
                runtime_env=environment,
            )
        else:
            start_ray(num_cpus=config.cpus)
    # Ray raises a plain Exception when its node takes too long to start.
    except Exception as error:
        detail = " ".join(str(error).split())
        if address and re.search("unauthenticated|authentication|token", detail, re.IGNORECASE):
            raise SimsearchError(
                f"ray.address: Ray at {address} refuses this process's token; set RAY_AUTH_MODE=token "
                "and RAY_AUTH_TOKEN to the cluster's own"
            ) from error
        if address:
            raise SimsearchError(
                f"ray.address: cannot use Ray at {address}: {detail}; "
                "start it with `ray start --head` or remove the address"
            ) from error
        folder = os.environ.get("RAY_TMPDIR") or gettempdir()
        raise SimsearchError(
            f"cannot start Ray on this machine: {detail}; run the command again, and if it stays so, "
            f"its logs lie under {folder}/ray/session_latest/logs"
        ) from error


def start_ray(**options: Any) -> None:
    """Start Ray inside this process, with the `options` of `ray.init`. Raises Ray's errors."""
    # Ray's C++ side writes to the terminal past Python's logging: its errors, and that it was set not to
    # write them.
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    os.environ.setdefault(*IDLE_WORKERS)
    os.environ.setdefault(*NO_USAGE_REPORTS)

    def start() -> None:
        with _close_standard_error():
            ray.init(
                address="local",  # otherwise Ray would join a cluster that was started on this machine
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                **options,
            )

    start_in_time(start)


def start_in_time(start: Callable[[], T]) -> T:
    """The result of starting a node. A node ends if its own helper does not start within 15 s, which takes
    longer on a busy machine. The start is then logged and tried again. Raises Ray's errors."""
    for _ in range(STARTS - 1):
        try:
            return start()
        except Exception as error:
            if TOO_LATE not in str(error):
                raise
            log.warning("Ray did not start in time, as the machine is busy: trying again")
    return start()


def _await_cluster(address: str) -> None:
    """Raise TimeoutError or Ray's errors if no head answers at an address. `ray.init` would wait for twelve
    minutes in silence."""
    raylet: Any = ray._raylet
    head = canonicalize_bootstrap_address(address)
    try:
        with _close_standard_error():
            run_within(CLUSTER_SECONDS, lambda: raylet.GcsClient(address=head))
    except TimeoutError:
        raise TimeoutError(f"no answer of a head in {CLUSTER_SECONDS:g} s") from None


@contextmanager
def _close_standard_error() -> Iterator[None]:
    """Discard everything that this process, its C++ code included, writes to the standard error. Exceptions
    are raised as usual."""
    sys.stderr.flush()
    standard_error = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(standard_error, 2)
        os.close(standard_error)


def _own_error(error: BaseException) -> SimsearchError:
    """The SimsearchError that a task raised, or one with Ray's error in one line."""
    raised = [cause for cause in _causes(error) if not isinstance(cause, RayTaskError)]
    for cause in raised:
        if isinstance(cause, SimsearchError):
            # Ray Data appends lines of advice to the message of a stage's error.
            cause.args = (str(cause).partition("\n")[0],)
            return cause
    first = raised[0] if raised else error
    if not isinstance(first, RayError):
        log.error("a defect; please report it with these lines", exc_info=error)
    lines = [line.strip() for line in str(first).splitlines() if line.strip()] or ["no message"]
    # The last line of Ray's own errors matters, the first line of others.
    reason = lines[-1] if isinstance(first, RayError) else lines[0]
    return SimsearchError(
        f"a Ray worker failed: {type(first).__name__}: {reason}; run the same command again to resume"
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    inner: BaseException | None = error
    while inner is not None:
        yield inner
        inner = (inner.cause if isinstance(inner, RayTaskError) else None) or inner.__cause__
