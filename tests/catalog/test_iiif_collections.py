"""Collections of manifests: ids that stay apart, members of every form, servers that fail for a day."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simsearch.catalog import catalog
from simsearch.errors import CatalogError
from simsearch.storage.storage import read_uri
from tests.support.documents import (
    Documents,
    Json,
    documents,
    iiif_config,
    image,
    jpeg,
    manifest,
    manifest_2,
    read,
    service,
)

GOOD = manifest(image("https://x.test/good.jpg"))


def left_out(notes: Any) -> dict[str, int]:
    return {reason: count for reason, (count, _) in notes.left_out.items()}


@pytest.mark.slow
def test_ids_that_differ_in_an_ending_alone_are_whole_addresses(tmp_path: Path) -> None:
    with documents() as web:
        host = web.base.removeprefix("http://")
        paths = [
            "/m/1",
            "/m/1.json",
            "/m/1/",
            "/m/1#a",
            "/m/1/manifest.json",
            "/m/2.json",
            "/m/1.json?v=2",
        ]
        for path in paths:
            web.files[path.partition("#")[0]] = GOOD
        rows, notes = read(tmp_path, web.collection(*paths))
        ids = {row["artwork_id"] for row in rows}
        assert ids == {web.base + path for path in paths[:5]} | {
            f"{host}/m/2",
            f"{host}/m/1.json?v=2",
        }
        assert not notes.left_out


def test_http_and_https_are_two_addresses(tmp_path: Path) -> None:
    with documents() as web:
        web.files["/m/1.json"] = GOOD
        source = web.collection("/m/1.json")
        other = web.base.replace("http:", "https:") + "/m/1.json"
        web.files["/c.json"]["items"].append({"id": other, "type": "Manifest"})
        rows, notes = read(tmp_path, source)
        assert [row["artwork_id"] for row in rows] == [f"{web.base}/m/1.json"]
        assert left_out(notes) == {
            "manifests that could not be read": 1
        }  # its address needs TLS, which this server does not have


def test_the_pages_of_one_manifest_do_not_take_the_id_of_another(tmp_path: Path) -> None:
    with documents() as web:
        web.files["/m.json"] = manifest(
            image("https://x.test/1.jpg"), image("https://x.test/2.jpg")
        )
        web.files["/m/2.json"] = GOOD
        rows, _ = read(tmp_path, web.collection("/m.json", "/m/2.json"), "catalog.canvases=all")
        assert len({row["artwork_id"] for row in rows}) == 3
        assert {row["image_uri"][-6:] for row in rows} == {"/1.jpg", "/2.jpg", "od.jpg"}


def test_members_of_every_form_are_found(tmp_path: Path) -> None:
    """One collection has members of both versions, without types, embedded, as addresses, and collections
    without the type of one."""
    with documents() as web:
        b = web.base
        for path in ("/1.json", "/2.json", "/4.json", "/5.json", "/6.json"):
            web.files[path] = GOOD
        web.files["/2.json"] = manifest_2({"@id": "https://x.test/2.jpg", "@type": "dctypes:Image"})
        web.files["/3.json"] = {key: value for key, value in GOOD.items() if key != "type"}
        web.files["/inner.json"] = {"items": [{"id": f"{b}/5.json", "type": "Manifest"}]}
        embedded = {"@type": "sc:Collection", "manifests": [f"{b}/4.json"]}
        more = {"@id": f"{b}/m.json", "@type": "http://iiif.io/api/presentation/2#Collection"}
        web.files["/m.json"] = {"@type": ["sc:Collection"], "members": {"@id": f"{b}/6.json"}}
        source = web.collection(
            "/1.json", "/2.json", collections=[embedded, more], manifests=[{"@id": f"{b}/1.json"}]
        )
        web.files["/c.json"]["items"] += [
            f"{b}/3.json",
            f"{b}/inner.json",
            "urn:x",
            {"type": "Manifest"},
        ]
        rows, notes = read(tmp_path, source)
        assert [row["artwork_id"][-1] for row in rows] == list("123456")
        assert left_out(notes) == {"members of collections without a web address": 2}


def test_a_collection_that_is_gone_costs_its_own_artworks(tmp_path: Path) -> None:
    with documents() as web:
        web.files["/1.json"] = GOOD
        source = web.collection("/1.json", collections=[f"{web.base}/gone.json"])
        rows, notes = read(tmp_path, source)
        assert len(rows) == 1
        assert left_out(notes) == {"collections that could not be read": 1}
        web.files["/gone.json"] = 503  # it may be back on another day
        with pytest.raises(CatalogError, match=r"gone\.json: HTTP 503; part of .* run the same"):
            read(tmp_path / "other", source)


def collection_of_two(web: Documents) -> str:
    for number in (1, 2):
        own = service(f"{web.base}/iiif/{number}", 1)
        web.files[f"/m/{number}.json"] = manifest(image(service=[own]))
        web.files[f"/iiif/{number}/info.json"] = {
            "width": 6000,
            "height": 4000,
            "profile": "level1",
        }
        web.files[f"/iiif/{number}/full/1024,/0/default.jpg"] = jpeg(number)
    return web.collection("/m/1.json", "/m/2.json")


@pytest.mark.slow
@pytest.mark.parametrize("answer", [503, 500, 429, b"<html>closed for maintenance</html>", b"{}"])
def test_stored_artworks_outlive_a_server_that_fails_for_a_day(answer: Any, tmp_path: Path) -> None:
    with documents() as web:
        source = collection_of_two(web)
        web.files["/iiif/2/info.json"] = 401  # the status is all that can be stored of it
        daily = iiif_config(tmp_path, source, download=", enabled: true, check_again_days: 0")
        first = catalog.ingest(daily).table
        assert first.num_rows == 2
        before = dict(web.files)
        web.files = dict.fromkeys(web.files, answer)
        web.asked.clear()
        second = catalog.ingest(daily).table
        assert second.equals(first)
        assert "/m/1.json" in web.asked  # it was asked all the same
        assert all(read_uri(uri, daily.storage) for uri in second["image_uri"].to_pylist())
        web.files = {**before, "/m/2.json": 404}  # taken away
        third = catalog.ingest(daily).table
        assert third["artwork_id"].to_pylist() == first["artwork_id"].to_pylist()[:1]


def test_a_dead_server_on_the_first_day_is_an_error(tmp_path: Path) -> None:
    with documents() as web:
        source = collection_of_two(web)
        web.files["/c.json"] = 503
        with pytest.raises(CatalogError, match=r"c\.json: HTTP 503"):
            read(tmp_path, source)
        source = collection_of_two(web)
        web.files["/iiif/2/info.json"] = 503
        rows, notes = read(tmp_path, source)
        assert len(rows) == 1
        assert "HTTP 503" in notes.left_out["manifests that could not be read"][1]


HOSTILE = [
    b"[" * 200_000,
    b'{"type":"Manifest","label":' + b'{"en":' * 900 + b'"x"' + b"}" * 900 + b"}",
    b'{"type":"Manifest","items":' + b'[{"items":' * 900 + b"[]" + b"}]" * 900 + b"}",
    b'{"type":"Collection","items":' + b'[{"type":"Collection","items":' * 900 + b"[]" + b"}]" * 900 + b"}",
    b"\xff\xfe\x00",
    b"",
    b"null",
    b'{"type":"Manifest","label":' + b"9" * 5000 + b"}",
    json.dumps(manifest(image(width="x", height=[], service=7), label=1e308)).encode(),
    json.dumps(manifest(image(service=[{"@id": "http://[x", "profile": "level1"}]))).encode(),
    json.dumps(manifest(image("http://[x"))).encode(),
    json.dumps(manifest(image("http://x.test:99999/"))).encode(),
    json.dumps(manifest(image("https://x.test/\ud800"))).encode(),
    json.dumps(manifest({"type": "Choice", "items": [{"type": "Choice", "items": [[[[[[[[[[]]]]]]]]]]}]})).encode(),
]  # fmt: skip


def test_an_odd_manifest_costs_itself(tmp_path: Path) -> None:
    with documents() as web:
        web.files["/good.json"] = GOOD
        web.files["/odd.json"] = manifest(
            image(), label={"en": ["half \ud800"]}, metadata=[{"label": "Artist", "value": [1, None, True, "\udfff"]}]
        )  # fmt: skip
        for number, data in enumerate(HOSTILE):
            web.files[f"/{number}.json"] = data
        links = [f"/{number}.json" for number in range(len(HOSTILE))]
        source = web.collection(*links, "/good.json", "/odd.json")
        web.files["/c.json"]["items"] += [{"id": "http://[x/1", "type": "Manifest"}]
        rows, notes = read(tmp_path, source)
        titles = {row["artwork_id"].rpartition("/")[2]: row["title"] for row in rows}
        assert (titles["good"], titles["odd"]) == ("A", "half \ufffd")
        assert sum(left_out(notes).values()) + len(rows) == len(HOSTILE) + 3
        again, _ = read(tmp_path, source)  # from the store
        assert again == rows


KEYS = """
    id @id type @type items body resource service sequences canvases images label metadata value @value
    @language en none profile sizes width height selector region source full default item format rights
    requiredStatement homepage next first members maxWidth tiles motivation
"""
WORDS = ["Image", "Choice", "http://127.0.0.1:9/a", "https://[", "level1", "\ud800", "Canvas"]
JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.text(st.characters(), max_size=8)
    | st.sampled_from(WORDS),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(KEYS.split()), inner, max_size=5)
    ),
    max_leaves=25,
)


@pytest.mark.slow
@given(st.data())
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_a_publisher_writes_the_others_are_read(
    served: tuple[Documents, Path], data: st.DataObject
) -> None:
    web, folder = served
    junk: Any = data.draw(JUNK)
    target: Json = manifest(image(service=[service(f"{web.base}/i", 1)]))
    place = data.draw(
        st.sampled_from(["whole", "label", "metadata", "items", "body", "service", "info"])
    )
    if place == "whole":
        target = junk
    elif place in ("label", "metadata", "items"):
        target[place] = junk
    elif place == "body":
        target = manifest(junk)
    elif place == "service":
        target = manifest(image(service=junk))
    web.files = {"/odd.json": target, "/good.json": GOOD, "/i/info.json": junk}
    source = web.collection("/odd.json", "/good.json")
    folder = folder / str(len(list(folder.iterdir())))
    rows, notes = read(folder, source)
    assert "https://x.test/good.jpg" in {row["image_uri"] for row in rows}
    assert len(rows) + sum(left_out(notes).values()) >= 2
    again, _ = read(folder, source)
    assert again == rows


@pytest.fixture
def served(tmp_path: Path) -> Any:
    with documents() as web:
        yield web, tmp_path


def test_only_the_text_in_one_language_is_taken(tmp_path: Path) -> None:
    assert (
        sys.getrecursionlimit() < 10_000
    )  # else the deep documents above would not be deep enough
    labels: dict[str, list[Any]] = {
        "Picture": [{"de": ["Bild"], "en-GB": ["Picture"]}, {"fr": ["x"], "none": [], "en": ["Picture"]}],
        "Bild": [
            [{"@value": "Bild", "@language": "de"}, {"@value": "Image", "@language": "fr"}],
            {"en": [], "de": ["Bild"], "fr": ["Image"]},
        ],
        "3 < 4 > 2": ["3 < 4 > 2", "<p>3 &lt; 4 &gt; 2</p>"],
        "7": [7, 7.0, [7]],
    }  # fmt: skip
    for number, (title, values) in enumerate(labels.items()):
        for place, label in enumerate(values):
            path = tmp_path / f"{number}-{place}.json"
            path.write_text(json.dumps(manifest(image(), label=label)))
            rows, _ = read(tmp_path, str(path))
            assert rows[0]["title"] == title
