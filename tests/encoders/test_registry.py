"""Families: those of this package, and those that other packages add."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from simsearch.cli.encoders import list_lines
from simsearch.encoders import registry
from simsearch.encoders.backbones import efficientnet_lite
from simsearch.encoders.encoder import Specification
from simsearch.encoders.registry import get_encoder
from simsearch.errors import UnknownNameError, UsageError
from simsearch.settings.config import Config
from simsearch.settings.sections.extraction import safe_name
from simsearch.settings.sections.operation import StorageConfig

CONFIG = StorageConfig()


class Foreign:
    """A family as another package would bring it."""

    name = "foreign"

    def names(self) -> tuple[str, ...]:
        return ("foreign:lite",)

    def specification(self, name: str, config: StorageConfig) -> Specification:
        assert name == "foreign:lite"
        return efficientnet_lite.FAMILY.specification("efficientnet_lite0", config)


FOREIGN = Foreign()


def adding(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    points = [EntryPoint(name, value, registry.GROUP)]
    monkeypatch.setattr(registry, "entry_points", lambda **_: points)


def test_a_packages_encoders_are_there_under_its_entry_points_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    adding(monkeypatch, "foreign", "tests.encoders.test_registry:FOREIGN")
    assert get_encoder("foreign:lite", CONFIG).dimension == 1280
    (line,) = list_lines(Config(), "foreign:*")
    assert "foreign:lite" in line
    assert "1280" in line
    assert "Apache-2.0" in line


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("timm", "tests.encoders.test_registry:FOREIGN", "which are there already"),
        ("gone", "no_such_package:FAMILY", "cannot be loaded"),
        ("gone", "tests.encoders.test_registry:NOTHING", "cannot be loaded"),
    ],
)
def test_a_package_that_does_not_fit_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    adding(monkeypatch, name, value)
    with pytest.raises(UsageError, match=told):
        get_encoder("foreign:lite", CONFIG)


def test_an_unknown_family_lists_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"no family of encoders named 's3'.*onnx.*timm"):
        get_encoder("s3://bucket/model.onnx", CONFIG)
    with pytest.raises(UnknownNameError, match="no encoder like named 'nothing"):
        list(list_lines(Config(), "nothing*"))


def test_a_name_in_a_path_leads_nowhere_else() -> None:
    for name in ("onnx:../../etc/passwd", "open_clip:ViT-B-32/openai", "onnx:s3://bucket/a b.onnx"):
        assert not {"/", ":", " "} & set(safe_name(name))
