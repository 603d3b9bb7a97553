"""A run's figures for Prometheus."""

import pytest

from simsearch.runtime import metrics


@pytest.mark.ray
@pytest.mark.usefixtures("ray_local")
def test_a_batch_of_nothing_but_rejects_is_counted_as_nothing() -> None:
    metrics.count_decoded(0, 0, 0)
    metrics.count_written("space", 0, 0)
    metrics.count_embedded("space", "cpu", 0, 0.0)
