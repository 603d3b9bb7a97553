"""How Ray Data is used here. Apart, because it takes a second to import."""

from __future__ import annotations

import logging
import warnings

import ray.data


def set_up_ray_data() -> None:
    """To be called in a Ray session before data is handed to it."""
    context = ray.data.DataContext.get_current()
    # Its own bars garble a job's log; `simsearch.runtime.progress` shows one line instead.
    context.enable_progress_bars = False
    context.enable_operator_progress_bars = False
    context.print_on_execution_start = False
    # Its wrapper drops what a stage raised on the way to the driver; `ray_session` tells that.
    context.raise_original_map_exception = True
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    # Where there is less to do than might run at once, which is no fault.
    warnings.filterwarnings("ignore", message="The maximum number of concurrent tasks")
