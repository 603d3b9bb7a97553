"""An error that a stage raises on a worker reaches the user with its own message."""

from __future__ import annotations

from typing import Any

import pytest
import ray

from simsearch.errors import SimsearchError, StorageError, UnknownNameError
from simsearch.runtime.ray_data import set_up_ray_data
from simsearch.runtime.ray_session import ray_session, start_ray
from simsearch.settings.sections.operation import RayConfig

pytestmark = pytest.mark.usefixtures("ray_local")


def denied(batch: Any) -> Any:
    try:
        raise PermissionError("An error occurred (AccessDenied)")
    except PermissionError as error:
        raise StorageError("s3://museum/a.jpg: cannot read: access denied") from error


def unknown(batch: Any) -> Any:
    raise UnknownNameError("backbone", "vgg61", ["vgg16"])


def defective(batch: Any) -> Any:
    raise ValueError("shapes differ\nin the second line")


def run_stage(stage: Any) -> None:
    with ray_session(RayConfig()):
        set_up_ray_data()
        for _ in ray.data.from_items([{"number": 1}]).map_batches(stage).iter_batches():
            pass


def test_an_own_error_of_a_stage_is_its_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(StorageError) as raised:
        run_stage(denied)
    assert str(raised.value) == "s3://museum/a.jpg: cannot read: access denied"
    assert "Traceback" not in capfd.readouterr().err


def test_its_kind_and_exit_code_survive() -> None:
    with pytest.raises(
        UnknownNameError, match=r"^no backbone named 'vgg61'; known: vgg16$"
    ) as raised:
        run_stage(unknown)
    assert raised.value.exit_code == 2


def test_a_defect_is_told_in_one_line_and_logged_whole(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(SimsearchError) as raised:
        run_stage(defective)
    assert str(raised.value) == (
        "a Ray worker failed: ValueError: shapes differ; run the same command again to resume"
    )
    assert "in defective" in caplog.text


def test_an_own_error_of_a_task_is_its_one_line() -> None:
    message = r"^s3://museum/a\.jpg: cannot read: access denied$"
    with pytest.raises(StorageError, match=message), ray_session(RayConfig()):
        ray.get(ray.remote(denied).remote(None))


def test_a_start_that_took_too_long_is_tried_again_and_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Ray is made to say it: a helper that really takes 15 s costs half a minute."""
    refusals = ["The current node timed out during startup. This could happen because …"] * 2
    started: list[dict[str, Any]] = []

    def init(**options: Any) -> None:
        if refusals:
            raise Exception(refusals.pop())
        started.append(options)

    monkeypatch.setattr(ray, "init", init)
    start_ray(num_cpus=3)
    assert [options["num_cpus"] for options in started] == [3]
    assert caplog.text.count("Ray did not start in time") == 2
    refusals += ["no space left on device"]
    with pytest.raises(Exception, match="no space left"):
        start_ray(num_cpus=3)
    refusals += ["timed out during startup"] * 3
    with pytest.raises(Exception, match="timed out during startup"):
        start_ray(num_cpus=3)
    assert len(started) == 1
