"""A run as Python starts it: `simsearch.run`."""

from __future__ import annotations

import os
from collections.abc import Sequence

from simsearch.runs import job
from simsearch.runtime.environment import prepare_environment
from simsearch.settings.config import load_config
from simsearch.settings.extras import check_installed


def run(
    settings: str | os.PathLike[str] | None = None, overrides: Sequence[str] = ()
) -> job.Result:
    """Take all steps from the collection to the published snapshot, as the command `simsearch run` does.

    A run that was interrupted resumes where it stopped. A run with nothing new to do ends after
    listing the collection. Progress goes to the logger "simsearch".

    Parameters
    ----------
    settings : str or os.PathLike, optional
        A YAML file of settings. None: the defaults, which are a small generated collection.
    overrides : sequence of str, optional
        Settings as `key=value` that go over those of the file, such as "extract.batch_size=64".

    Returns
    -------
    Result

    Raises
    ------
    UsageError
        If the extra `run` is not installed, or a setting is wrong (ConfigError).
    SimsearchError
        If the run fails. `simsearch.errors` lists the kinds, each with a message that says what to
        do.
    """
    check_installed("run", "simsearch.run")
    config = load_config(settings, overrides)
    prepare_environment()
    return job.run(config)
