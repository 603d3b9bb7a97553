"""Settings of Ray Data. A module of their own, because Ray Data takes a second to import."""

from __future__ import annotations

import logging
import warnings

import ray.data


def set_up_ray_data() -> None:
    """Set up Ray Data. Call this in a Ray session before using it."""
    context = ray.data.DataContext.get_current()
    # Ray Data's own bars garble a job's log. `simsearch.runtime.progress` shows one line instead.
    context.enable_progress_bars = False
    context.enable_operator_progress_bars = False
    context.print_on_execution_start = False
    # Ray Data's wrapper drops a stage's error on the way to the driver, where `ray_session` reports it.
    context.raise_original_map_exception = True
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    # This warning comes if there is less work than could run at once, which is no fault.
    warnings.filterwarnings("ignore", message="The maximum number of concurrent tasks")
