"""Equal installations are told from others, and the one that differs is named."""

from __future__ import annotations

from importlib.metadata import Distribution
from pathlib import Path

from simsearch.runtime import installation
from simsearch.runtime.installation import (
    ABSENT,
    CODE,
    describe_differences,
    describe_installation,
    digest_of,
)

RECORD = """PIL/Image.py,sha256=aaa,10
PIL/_imaging.cpython-313-x86_64-linux-gnu.so,sha256=bbb,20
pillow.libs/libjpeg-1234.so.62.4.0,sha256=ccc,30
pillow-13.0.0.dist-info/RECORD,,
"""


def build_of(folder: Path, record: str) -> str:
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.4\nName: pillow\nVersion: 13.0.0\n")
    (folder / "RECORD").write_text(record)
    return installation._build(Distribution.at(folder))


def test_a_build_is_that_of_its_modules_whoever_installed_them(tmp_path: Path) -> None:
    wheel = build_of(tmp_path / "wheel.dist-info", RECORD)
    lines = RECORD.splitlines()
    by_another_installer = [
        *reversed(lines),
        "PIL/__pycache__/Image.cpython-313.pyc,,",
        "../../../bin/pillow,sha256=ddd,5",
        "pillow-13.0.0.dist-info/INSTALLER,sha256=eee,2",
    ]
    assert wheel == build_of(tmp_path / "same.dist-info", "\n".join(by_another_installer))
    for number, line in enumerate(lines[:3]):
        changed = RECORD.replace(line, line.replace("sha256=", "sha256=other-"))
        assert wheel != build_of(tmp_path / f"other-{number}.dist-info", changed)


def test_what_differs_is_named_and_nothing_else() -> None:
    here = {"Python": "3.12.1", "pillow": "13.0.0 build b", "timm": ABSENT, "numpy": "2.5 build c"}
    assert describe_differences(here, here) == ""
    assert describe_differences({**here, "pillow": "12.0.0 build a"}, here) == (
        "pillow 12.0.0 build a (the driver has 13.0.0 build b)"
    )
    many = {f"package-{number}": "1" for number in range(9)}
    assert describe_differences({}, many).endswith("and 5 more")
    assert describe_differences({"Python": "3.12.1"}, {**here, "Python": "3.12.1"}).startswith(
        f"pillow {ABSENT} (the driver has"
    )


def test_a_digest_depends_on_every_value_and_not_on_their_order() -> None:
    own = describe_installation()
    assert own[CODE] != ABSENT
    assert own["torch"].startswith("2.")
    assert digest_of(dict(reversed(own.items()))) == digest_of(own)
    assert len({digest_of({**own, name: "another"}) for name in own}) == len(own)
