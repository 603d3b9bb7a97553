"""A downloaded picture is never overwritten: whatever names a file finds in it what it always held."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simsearch.catalog import catalog, stored_downloads
from simsearch.catalog.stored_downloads import downloaded_from
from simsearch.settings.config import Config, load_config
from simsearch.snapshots.garbage import find_garbage, remove
from simsearch.storage.storage import Storage, read_uri
from tests.support.documents import Documents, documents, jpeg

PICTURES = [jpeg(seed) for seed in range(4)]
NAMES = ("a", "b", "c")
FOREVER = 9e15  # seconds: every file is older


def config_for(folder: Path, web: Documents, **download: object) -> Config:
    lines = [f"{name},{web.base}/{name}.jpg" for name in NAMES]
    (folder / "art.csv").write_text("artwork_id,image_uri\n" + "\n".join(lines) + "\n")
    quick = "enabled: true, private_networks: true, per_second: 5000, attempts: 1, robots: false"
    more = "".join(f", {name}: {value}" for name, value in download.items())
    return load_config(
        None,
        [
            f"root={folder}/root",
            "catalog.reader=table",
            f"catalog.source={folder}/art.csv",
            f"catalog.download={{{quick}{more}}}",
        ],
    )


def contents(table: pa.Table, config: Config) -> dict[str, bytes]:
    """The bytes of every file that a catalog names."""
    uris = [uri for uri in table["image_uri"].to_pylist() if uri.startswith("file://")]
    return {uri: read_uri(uri, config.storage) for uri in uris}


@pytest.mark.slow
@settings(max_examples=8)
@given(
    st.lists(
        st.dictionaries(st.sampled_from(NAMES), st.sampled_from([*PICTURES, 404, 503])), max_size=4
    )
)
def test_each_catalog_keeps_the_pictures_it_was_made_of(nights: list[dict[str, object]]) -> None:
    with documents() as web, tempfile.TemporaryDirectory() as name:
        config = config_for(Path(name), web, check_again_days=0)
        web.files = {f"/{name}.jpg": PICTURES[0] for name in NAMES}
        kept: dict[str, bytes] = {}
        shown = dict.fromkeys(NAMES, PICTURES[0])  # the last picture that each address gave
        for night in [{}, *nights]:
            web.files |= {f"/{name}.jpg": file for name, file in night.items()}
            shown |= {name: file for name, file in night.items() if isinstance(file, bytes)}
            table = catalog.ingest(config).table
            now = contents(table, config)
            uris = dict(
                zip(table["artwork_id"].to_pylist(), table["image_uri"].to_pylist(), strict=True)
            )
            assert {name: now[uris[name]] for name in NAMES} == shown
            kept = now | kept  # what a file held first is what it has to hold
        assert {uri: read_uri(uri, config.storage) for uri in kept} == kept
        storage = Storage(config.root)
        assert downloaded_from(storage) == {uris[name]: f"{web.base}/{name}.jpg" for name in NAMES}
        garbage = find_garbage(storage, keep=1, older_than=FOREVER)
        images = {storage.uri(file.path) for file in garbage if file.path.startswith("images/")}
        assert images == kept.keys() - now.keys()
        remove(storage, garbage, lambda: None)
        assert contents(table, config) == now


def test_a_night_that_was_killed_goes_on_with_what_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with documents() as web:
        web.files = {f"/{name}.jpg": PICTURES[number] for number, name in enumerate(NAMES)}
        config = config_for(tmp_path, web)
        with monkeypatch.context() as killed:  # the journal's last rows are lost
            killed.setattr(stored_downloads, "STATE", "lost")
            killed.setattr("simsearch.catalog.download.STATE", "lost")
            catalog.ingest(config)
        web.asked.clear()
        table = catalog.ingest(config).table
        assert web.asked == []
        assert sorted(contents(table, config).values()) == sorted(PICTURES[: len(NAMES)])


def test_a_file_that_was_removed_is_asked_for_anew(tmp_path: Path) -> None:
    with documents() as web:
        web.files = {f"/{name}.jpg": PICTURES[0] for name in NAMES}
        config = config_for(tmp_path, web)
        table = catalog.ingest(config).table
        Path(table["image_uri"][0].as_py().removeprefix("file://")).unlink()
        web.asked.clear()
        again = catalog.ingest(config).table
        assert web.asked == ["/a.jpg"]
        assert again["image_uri"].equals(table["image_uri"])
