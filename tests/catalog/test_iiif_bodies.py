"""What canvases show: pictures and parts of them become artworks, sound, video, PDF and text do not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simsearch.catalog.iiif import parse
from simsearch.errors import CatalogError
from tests.support.documents import Json, documents, image, manifest, manifest_2, read, service

BASE = "https://x.test/iiif/a"
WHOLE = f"{BASE}/full/!1024,1024/0/default.jpg"
SERVED = image(service=[service()])
PART = {"type": "iiif:ImageApiSelector", "region": "100,200,3000,2000"}
CUT = f"{BASE}/100,200,3000,2000/!1024,1024/0/default.jpg"
VIDEO = {"id": "https://x.test/v.mp4", "type": "Video", "format": "video/mp4"}
SOUND = {"id": "https://x.test/v.mp3", "type": "Sound"}


def addresses(tmp_path: Path, document: Json, *overrides: str) -> list[str]:
    """The image addresses of a manifest that lies in a file."""
    (tmp_path / "m.json").write_text(json.dumps(document))
    rows, _ = read(tmp_path, str(tmp_path / "m.json"), *overrides)
    return [row["image_uri"] for row in rows]


def part_of(source: Any, selector: Any, **extra: Any) -> Json:
    return {"type": "SpecificResource", "source": source, "selector": selector, **extra}


@pytest.mark.parametrize(
    ("document", "address"),
    [
        (manifest([{"type": "TextualBody", "value": "x"}, SERVED]), WHOLE),
        (manifest({"type": "Choice", "items": [VIDEO, SERVED]}), WHOLE),
        (manifest({"type": "Choice", "items": [{"type": "Choice", "items": [SERVED]}]}), WHOLE),
        (manifest(part_of(SERVED, PART)), CUT),
        (manifest(part_of(SERVED, [PART])), CUT),
        (manifest(part_of([SERVED], PART)), CUT),
        (manifest(part_of({"type": "Choice", "items": [SERVED]}, PART)), CUT),
        (manifest(part_of(SERVED, {"region": "100,200,3000,2000"})), CUT),
        (manifest(part_of(SERVED, {"type": "FragmentSelector", "value": "xywh=100,200,3000,2000"})), CUT),
        (
            manifest(part_of(SERVED, {"type": "FragmentSelector", "value": "xywh=percent:0,0,50,50"})),
            f"{BASE}/0,0,3000,2000/!1024,1024/0/default.jpg",
        ),
        (manifest(part_of(SERVED, {"type": "ImageApiSelector", "region": "0,0,500,400"})), f"{BASE}/0,0,500,400/full/0/default.jpg"),
        (manifest(part_of(SERVED, {"type": "ImageApiSelector", "region": "square", "rotation": "90"})), f"{BASE}/1000,0,4000,4000/!1024,1024/90/default.jpg"),
        (manifest(part_of(SERVED, {"type": "ImageApiSelector", "region": "full"})), WHOLE),
        (manifest(part_of(SERVED, None)), WHOLE),
        (manifest(part_of("https://x.test/plain.jpg", None)), "https://x.test/plain.jpg"),
        (manifest(part_of("https://x.test/plain.jpg", PART, service=[service(width=6000, height=4000)])), CUT),
        # The address of the image itself names a part of it.
        (manifest({**SERVED, "id": f"{BASE}/100,200,3000,2000/full/0/default.jpg", "service": [service(width=6000, height=4000)]}), CUT),
        (manifest({**SERVED, "id": f"{BASE}/full/full/0/default.jpg"}), WHOLE),
        (manifest(image(f"{BASE}/9,9,50,50/full/0/default.jpg")), f"{BASE}/9,9,50,50/full/0/default.jpg"),
        (manifest_2({**SERVED, "type": None, "@type": "dctypes:Image"}), WHOLE),
        (manifest_2({"@type": "oa:Choice", "default": SERVED, "item": [image()]}), WHOLE),
        (manifest_2({"@type": "oa:Choice", "default": "rdf:nil", "item": [SERVED]}), WHOLE),
        (manifest_2({"@type": "oa:SpecificResource", "full": SERVED, "selector": {"@type": "iiif:ImageApiSelector", "region": "100,200,3000,2000"}}), CUT),
        (manifest({**SERVED, "type": ""}), WHOLE),  # without a type
        (manifest({**SERVED, "service": service()}), WHOLE),  # an object, no list
        (manifest({**SERVED, "service": [{"@context": "http://iiif.io/api/auth/1/context.json", "@id": "https://x.test/auth"}, service()]}), WHOLE),
        (manifest({"id": "https://x.test/p", "format": "image/png"}), "https://x.test/p"),
        (manifest({"id": "https://x.test/p.tif"}), "https://x.test/p.tif"),
        (manifest(VIDEO, SERVED), WHOLE),
    ],
)  # fmt: skip
def test_a_picture_is_found_whatever_carries_it(
    document: Json, address: str, tmp_path: Path
) -> None:
    assert addresses(tmp_path, document) == [address]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (VIDEO, "video"),
        ({"id": "https://x.test/v", "type": "dctypes:MovingImage"}, "video"),
        ({"id": "https://x.test/v.webm"}, "video"),
        ({"id": "https://x.test/v", "format": "video/mp4"}, "video"),
        ({"id": "https://x.test/v", "type": "Image", "format": "video/mp4"}, "video"),
        ({"type": "Choice", "items": [VIDEO, SOUND]}, "video"),
        (part_of(VIDEO, {"type": "FragmentSelector", "value": "t=3,4"}), "video"),
        (SOUND, "sound"),
        ({"id": "https://x.test/s", "format": "audio/mpeg"}, "sound"),
        ({"id": "https://x.test/p", "type": "Text", "format": "application/pdf"}, "PDF"),
        ({"id": "https://x.test/p.pdf?page=1#a"}, "PDF"),
        ({"type": "TextualBody", "value": "x"}, "text"),
        ({"id": "https://x.test/t", "type": "Text", "format": "text/html"}, "text"),
        ({"id": "https://x.test/m.glb", "type": "Model"}, "model"),
        ({"id": "https://x.test/d", "type": "Dataset"}, "data"),
        ({"id": "https://x.test/d", "type": "Painting"}, "another kind"),
        ({"id": "file:///etc/passwd", "type": "Image"}, "picture without an address"),
        ([], "nothing painted"),
        (None, "nothing painted"),
    ],
)
def test_what_is_no_picture_is_no_artwork_but_named(body: Any, kind: str, tmp_path: Path) -> None:
    poster = manifest(SERVED)["items"][0]
    still = {"accompanyingCanvas": poster, "placeholderCanvas": poster, "thumbnail": [image()]}
    document = manifest(body, rendering=[image()], **still)
    document["items"][0].update(still)
    with pytest.raises(CatalogError) as raised:
        addresses(tmp_path, document)
    assert f"1 manifests without an image ({kind})" in str(raised.value)


@pytest.mark.parametrize(
    "document",
    [
        manifest(),
        manifest_2(),
        {"@type": "sc:Manifest", "sequences": [{"canvases": [{"images": []}]}]},
        {
            "@type": "sc:Manifest",
            "mediaSequences": [{"elements": [{"@id": "https://x.test/a.mp4", "@type": "dctypes:MovingImage"}]}],
            "sequences": [{"compatibilityHint": "displayIfContentUnsupported", "canvases": [{"images": [{"resource": image()}]}]}],
        },
        {"type": "Manifest", "items": [{"annotations": [{"items": [{"motivation": "painting", "body": SERVED}]}]}]},
        {"type": "Manifest", "items": [{"items": [{"items": [{"motivation": "commenting", "body": SERVED}]}]}]},
    ],
)  # fmt: skip
def test_a_manifest_that_paints_no_picture_is_no_artwork(document: Json, tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="1 manifests without an image"):
        addresses(tmp_path, document)


def test_each_canvas_without_a_picture_is_counted(tmp_path: Path) -> None:
    document = manifest(VIDEO, SERVED, SOUND, VIDEO, image())
    (tmp_path / "m.json").write_text(json.dumps(document))
    rows, notes = read(tmp_path, str(tmp_path / "m.json"), "catalog.canvases=all")
    assert len(rows) == 2
    counts = {reason: count for reason, (count, _) in notes.left_out.items()}
    assert counts == {
        "canvases without an image (video)": 2,
        "canvases without an image (sound)": 1,
    }


@pytest.mark.parametrize(
    "body",
    [
        part_of(image(), PART),  # no server that could cut it
        image("https://x.test/plain.jpg#xywh=0,0,10,10"),
        part_of(SERVED, {"type": "SvgSelector", "value": "<svg/>"}),
        part_of(SERVED, {"type": "ImageApiSelector", "region": "7000,0,10,10"}),
        part_of(SERVED, {"type": "ImageApiSelector", "region": "some"}),
    ],
)
def test_a_part_that_nobody_cuts_is_never_shown_as_the_whole(body: Json, tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="1 canvases with a part of an image"):
        addresses(tmp_path, manifest(body))


@pytest.mark.parametrize("version", [2, 3])
def test_annotations_that_lie_elsewhere_are_fetched(version: int, tmp_path: Path) -> None:
    with documents() as web:
        annotation = {"type": "Annotation", "motivation": "painting", "body": SERVED}
        if version == 3:
            pages: list[Any] = [
                f"{web.base}/text.json",
                {"id": f"{web.base}/p.json", "type": "AnnotationPage"},
            ]
            web.files["/m.json"] = {
                "type": "Manifest",
                "items": [{"type": "Canvas", "items": pages}],
            }
            web.files["/text.json"] = {
                "type": "AnnotationPage",
                "items": [],
                "next": f"{web.base}/text2.json",
            }
            web.files["/text2.json"] = {"type": "AnnotationPage", "items": [{"body": VIDEO}]}
            web.files["/p.json"] = {"type": "AnnotationPage", "items": [annotation]}
        else:
            images = [{"@id": f"{web.base}/p.json", "@type": "oa:Annotation"}]
            web.files["/m.json"] = {
                "@type": "sc:Manifest",
                "sequences": [{"canvases": [{"images": images}]}],
            }
            web.files["/p.json"] = {"@type": "oa:Annotation", "resource": SERVED}
        rows, _ = read(tmp_path, f"{web.base}/m.json")
        assert [row["image_uri"] for row in rows] == [WHOLE]
        web.files["/p.json"] = 404
        web.collection("/m.json")
        with pytest.raises(CatalogError, match="1 manifests that could not be read"):
            read(tmp_path / "other", f"{web.base}/c.json")


def test_of_several_pictures_the_one_that_covers_the_canvas_is_the_artworks() -> None:
    def painted(name: str, target: Any) -> Json:
        body = image(f"https://x.test/{name}.jpg")
        return {"type": "Annotation", "motivation": "painting", "body": body, "target": target}

    def first_of(*annotations: Json) -> tuple[str | None, int]:
        page = {"type": "AnnotationPage", "items": list(annotations)}
        canvas = {"type": "Canvas", "width": 600, "height": 400, "items": [page]}
        document = parse({"type": "Manifest", "items": [canvas]})
        assert document is not None
        (shown,) = document.canvases
        return shown.url, shown.further

    detail = painted("detail", "https://x.test/c#xywh=0,0,60,40")
    whole = painted("whole", "https://x.test/c")
    selected = {"type": "FragmentSelector", "value": "xywh=0,0,600,400"}
    again = painted("again", {"type": "SpecificResource", "source": "c", "selector": selected})
    assert first_of(detail, whole, again) == ("https://x.test/whole.jpg", 2)
    assert first_of(detail, again) == ("https://x.test/again.jpg", 1)
    assert first_of(whole, detail) == ("https://x.test/whole.jpg", 1)
    assert first_of(detail, detail) == ("https://x.test/detail.jpg", 1)


def test_each_cause_for_which_manifests_are_missing_is_counted(tmp_path: Path) -> None:
    answers = {
        "/a.json": 404,
        "/b.json": 404,
        "/c1.json": 401,
        "/d.json": b"<html>",
        "/e.json": 404,
    }
    with documents() as web:
        web.files.update(answers)
        web.files["/f.json"] = manifest(image())
        rows, notes = read(tmp_path, web.collection(*answers, "/f.json"))
    assert len(rows) == 1
    (line,) = [line for line in notes.summary() if line.startswith("left out")]
    causes = "3 × HTTP 404, 1 × HTTP 401, 1 × the response is no JSON"
    assert line.startswith(f"left out: 5 manifests that could not be read ({causes}; first: http")
