"""Manifests as publishers write them and the specifications' examples do not show them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simsearch.errors import CatalogError
from tests.support.documents import Documents, documents, image, manifest, manifest_2, read, service

INFO = {"width": 6000, "height": 4000, "profile": "level1"}
ALL = "catalog.canvases=all"


def three_pictures(web: Documents) -> str:
    """A collection of a manifest of three pictures, each with a server of its own, and of another
    manifest."""
    for number in (1, 2, 3):
        web.files[f"/iiif/{number}/info.json"] = INFO
    bodies = [image(service=[service(f"{web.base}/iiif/{number}", 1)]) for number in (1, 2, 3)]
    web.files["/book.json"] = manifest(*bodies)
    web.files["/other.json"] = manifest(image())
    return web.collection("/book.json", "/other.json")


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_canvas_that_cannot_be_read_costs_itself(place: int, tmp_path: Path) -> None:
    with documents() as web:
        source = three_pictures(web)
        broken = f"/iiif/{place + 1}/info.json"
        web.files[broken] = 503
        elsewhere = {"id": f"{web.base}/gone.json", "type": "AnnotationPage"}
        canvases = web.files["/book.json"]["items"]
        canvases.append({"type": "Canvas", "items": [elsewhere]})
        rows, notes = read(tmp_path, source, ALL)
        ids = [row["artwork_id"].rpartition("/")[2] for row in rows]
        left = [str(number) for number in (1, 2, 3) if number != place + 1]
        assert ids == [*left, "other"]
        count, example = notes.left_out["canvases that could not be read"]
        assert count == 2
        assert example.endswith(f"{web.base}{broken}: HTTP 503")
        web.files[broken] = INFO
        assert len(read(tmp_path, source, ALL)[0]) == 4


def test_a_first_canvas_that_is_gone_leaves_the_next(tmp_path: Path) -> None:
    """One that is away for a day does not: the artwork would be another one on that day."""
    with documents() as web:
        source = three_pictures(web)
        elsewhere = {"id": f"{web.base}/page.json", "type": "AnnotationPage"}
        book = web.files["/book.json"]
        book["items"].insert(0, {"type": "Canvas", "items": [elsewhere]})
        web.files["/page.json"] = 503
        rows, notes = read(tmp_path, source)
        assert len(rows) == 1
        _, example = notes.left_out["manifests that could not be read"]
        assert example.endswith("/page.json: HTTP 503")
        web.files["/page.json"] = 404
        rows, _ = read(tmp_path, source)
        assert [row["image_uri"].removeprefix(web.base) for row in rows] == [
            "/iiif/1/full/1024,/0/default.jpg", "https://x.test/plain.jpg",
        ]  # fmt: skip


def test_a_page_of_annotations_is_no_artwork(tmp_path: Path) -> None:
    with documents() as web:
        web.files["/page.json"] = manifest(image())["items"][0]["items"][0]
        web.files["/m.json"] = manifest(image())
        rows, notes = read(tmp_path, web.collection("/page.json", "/m.json"))
        assert [row["url"] for row in rows] == [f"{web.base}/m.json"]
        assert "no IIIF manifest" in notes.left_out["manifests that could not be read"][1]


@pytest.mark.parametrize("key", ["id", "none"])
def test_a_page_inside_its_collection_is_read_there(key: str, tmp_path: Path) -> None:
    with documents() as web:
        page = {
            key: f"{web.base}/c.json?page=1",
            "type": "CollectionPage",
            "items": [{"id": f"{web.base}/m1.json", "type": "Manifest"}],
            "next": f"{web.base}/page2.json",
        }
        web.files["/c.json"] = {"type": "Collection", "first": page}
        items = [{"id": f"{web.base}/m2.json", "type": "Manifest"}]
        web.files["/page2.json"] = {"type": "CollectionPage", "items": items}
        web.files["/m1.json"] = web.files["/m2.json"] = manifest(image())
        rows, notes = read(tmp_path, f"{web.base}/c.json")
        assert [row["url"] for row in rows] == [f"{web.base}/m1.json", f"{web.base}/m2.json"]
        assert not notes.left_out


@pytest.mark.parametrize(("html", "plain"), [
    ("Woman<br>seated", "Woman seated"), ("<p>A</p><p>B</p>", "A B"), ("A<BR/>B", "A B"),
    ("<ul><li>A</li><li>B</li></ul>", "A B"), ("<td class='x'>A</td><td>B</td>", "A B"),
    ("<b>R</b>embrandt", "Rembrandt"), ("<pre>A</pre>B", "AB"), ("H<sub>2</sub>O", "H2O"),
])  # fmt: skip
def test_words_on_both_sides_of_a_break_are_two(html: str, plain: str, tmp_path: Path) -> None:
    with documents() as web:
        web.files["/m.json"] = manifest(image(), label={"none": [html]})
        rows, _ = read(tmp_path, f"{web.base}/m.json")
        assert rows[0]["title"] == plain


def test_a_label_that_is_repeated_keeps_its_values(tmp_path: Path) -> None:
    said = [("Creator", "Ann"), ("Creator:", ["Bob", "Ann"]), ("Artist", "Ann (1606)"),
            ("Technique", "ink"), ("Technique", "paper")]  # fmt: skip
    metadata = [{"label": label, "value": value} for label, value in said]
    with documents() as web:
        web.files["/m.json"] = manifest(image(), metadata=metadata)
        rows, _ = read(tmp_path, f"{web.base}/m.json")
        assert rows[0]["artists"] == ["Ann", "Bob"]
        assert rows[0]["medium"] == "ink; paper"


@pytest.mark.parametrize("keys", [("homepage",), ("related",), ("homepage", "related")])
def test_the_first_page_with_an_address_is_taken(keys: tuple[str, ...], tmp_path: Path) -> None:
    pages: list[Any] = [{"id": "/relative"}, {"id": "https://museum.test/1"}]
    said = {keys[0]: pages} if len(keys) == 1 else dict(zip(keys, pages, strict=True))
    with documents() as web:
        web.files["/m.json"] = manifest(image(), **said)
        rows, _ = read(tmp_path, f"{web.base}/m.json")
        assert rows[0]["url"] == "https://museum.test/1"


def test_further_pictures_of_a_canvas_are_counted(tmp_path: Path) -> None:
    """Foldouts; the pictures of a choice are one."""
    with documents() as web:
        folded = manifest_2(*[{"@id": f"https://x.test/{n}.jpg"} for n in range(4)])
        canvases = folded["sequences"][0]["canvases"]
        canvases[0]["images"] += canvases.pop()["images"] + canvases.pop()["images"]
        choice = {"@type": "oa:Choice", "default": image("https://x.test/a.jpg"), "item": [image()]}
        canvases.append({"@type": "sc:Canvas", "images": [{"resource": choice}]})
        web.files["/m.json"] = folded
        rows, notes = read(tmp_path, f"{web.base}/m.json", ALL)
        assert [row["image_uri"][-5] for row in rows] == ["0", "1", "a"]
        reason = "further pictures on canvases of which the first one is taken"
        assert {reason: 2} == {key: count for key, (count, _) in notes.left_out.items()}


@pytest.mark.parametrize(("version", "sizes", "most", "asked"), [
    (3, [6000], None, "max"), (2, [6000], None, "full"),
    (3, [3000, 150, 1500], None, "1500,1000"), (2, [3000, 150, 1500], None, "1500,"),
    (3, [3000, 900], 1200, "900,600"), (2, [3000, 900], 1000, "900,"),
    (3, [3000], 1200, "3000,2000"),
])  # fmt: skip
def test_files_alone_are_asked_for_by_their_names(
    version: int, sizes: list[int], most: int | None, asked: str, tmp_path: Path
) -> None:
    """Sizes in any order, the whole among them, and beyond what the server gives out."""
    with documents() as web:
        context = f"http://iiif.io/api/image/{version}/context.json"
        own: dict[str, Any] = {"@id": f"{web.base}/i", "@context": context, "profile": "level0"}
        listed = [{"width": width, "height": width * 2 // 3} for width in sizes]
        info = {**own, "width": 6000, "height": 4000, "sizes": listed, "maxWidth": most}
        web.files["/i/info.json"] = info
        web.files["/m.json"] = manifest(image(service=[own]))
        rows, _ = read(tmp_path, f"{web.base}/m.json")
        assert rows[0]["image_uri"] == f"{web.base}/i/full/{asked}/0/default.jpg"


def test_a_source_whose_only_canvas_fails_says_which_address(tmp_path: Path) -> None:
    with documents() as web:
        three_pictures(web)
        del web.files["/book.json"]["items"][1:]
        web.files["/iiif/1/info.json"] = 503
        with pytest.raises(CatalogError, match=r"iiif/1/info\.json: HTTP 503"):
            read(tmp_path, f"{web.base}/book.json", ALL)
