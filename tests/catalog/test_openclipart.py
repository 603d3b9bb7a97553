"""Open Clip Art as Debian packages it, hostile SVG included."""

from __future__ import annotations

from pathlib import Path

from simsearch.catalog.notes import Notes
from tests.support.catalogs import jpeg, read

SVG = """<svg xmlns="http://www.w3.org/2000/svg" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:cc="http://web.resource.org/cc/" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><metadata><rdf:RDF>
<cc:Work><dc:title>A &lt;fine&gt; bee</dc:title><dc:subject><rdf:Bag><rdf:li>insect</rdf:li><rdf:li>animal</rdf:li>
</rdf:Bag></dc:subject><dc:creator><cc:Agent><dc:title>Ann</dc:title></cc:Agent></dc:creator></cc:Work></rdf:RDF>
</metadata></svg>"""


BOMB = '<!DOCTYPE s [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><svg>&b;</svg>'


def test_clip_art_is_described_by_its_svg(tmp_path: Path) -> None:
    for name, svg in (("animals/bee_01", SVG), ("animals/bomb", BOMB), ("plants/bare", None)):
        for kind, data in (("png", jpeg()), ("svg", svg.encode() if svg else None)):
            path = tmp_path / kind / f"{name}.{kind}"
            path.parent.mkdir(parents=True, exist_ok=True)
            if data is not None:
                path.write_bytes(data)
    notes = Notes()
    table = read(
        tmp_path, "catalog.reader=openclipart", f"catalog.source={tmp_path}/png", notes=notes
    )
    bee, bomb, bare = table.to_pylist()
    assert (bee["title"], bee["artists"], bee["subjects"]) == (
        "A <fine> bee",
        ["Ann"],
        ["insect", "animal"],
    )
    assert [row["classification"] for row in (bee, bomb, bare)] == ["animals", "animals", "plants"]
    assert (bomb["title"], bare["title"]) == ("bomb", "bare")
    assert "2 of 3 drawings have no readable SVG" in notes.lines[0]
