"""Ray for the length of a command: a cluster where one is named, else Ray inside this process."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import ray
from ray.exceptions import RayError, RayTaskError

from simsearch.config import RayConfig
from simsearch.errors import SimsearchError

log = logging.getLogger(__name__)


@contextmanager
def ray_session(config: RayConfig) -> Iterator[None]:
    """Connect to `config.address` or $RAY_ADDRESS, else start Ray here and stop it at the end.

    What a stage raises on a worker comes out as the SimsearchError it was. Raises SimsearchError
    when the cluster cannot be reached.
    """
    started = not ray.is_initialized()
    if started:
        _connect(config)
    quiet_ray_data()
    try:
        yield
    except RayError as error:
        raise own_error(error) from error
    finally:
        if started:
            ray.shutdown()


def _connect(config: RayConfig) -> None:
    address = config.address or os.environ.get("RAY_ADDRESS")
    try:
        if address:
            ray.init(address=address, log_to_driver=False, logging_level=logging.WARNING)
        else:
            # Ray's C++ side writes to the terminal past Python's logging.
            os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
            ray.init(
                address="local",  # without it Ray joins any cluster once started on this machine
                num_cpus=config.cpus,
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
    # Ray raises a plain Exception when its node takes too long to start.
    except Exception as error:
        detail = " ".join(str(error).split())
        raise SimsearchError(
            f"ray.address: cannot use Ray at {address or 'this machine'}: {detail}; "
            "start it with `ray start --head` or remove the address"
        ) from error


def quiet_ray_data() -> None:
    """Ray Data's own bars garble a job's log; `simsearch.progress` shows one line instead."""
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.enable_operator_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)


def own_error(error: BaseException) -> SimsearchError:
    """The SimsearchError at the bottom of what Ray raised, or Ray's own words in one line."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, SimsearchError):
            return _plain(inner)
        inner = (inner.cause if isinstance(inner, RayTaskError) else None) or inner.__cause__
    lines = [line for line in str(error).splitlines() if line.strip()]
    last = lines[-1].strip() if lines else type(error).__name__
    log.debug("Ray raised", exc_info=error)
    return SimsearchError(f"a Ray worker failed: {last}; run the same command again to resume")


def _plain(error: SimsearchError) -> SimsearchError:
    # Ray raises a class made on the fly from the error's own and RayTaskError.
    if not isinstance(error, RayTaskError):
        return error
    cause = error.cause
    return cause if isinstance(cause, SimsearchError) else SimsearchError(str(cause))
