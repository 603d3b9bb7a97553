"""Dates as museums write them: the year that each begins with, and that nothing else is guessed."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simsearch.reading.dates import EARLIEST, LATEST, LONGEST, first_year, year_text

# Spellings of the Metropolitan Museum, MoMA, the Art Institute of Chicago, the Rijksmuseum, the Cleveland
# and the British Museum, of Wikidata and of German, French, Dutch, Spanish and Italian catalogs.
UNDERSTOOD = {
    "1888": 1888, "1502": 1502, "ca. 1853": 1853, "c. 1903": 1903, "c.1903": 1903, "ca1650": 1650,
    "circa 1650": 1650, "about 1750": 1750, "probably 1850": 1850, "1888?": 1888, "1888 (?)": 1888,
    "[1888]": 1888, "(1911, published 1913)": 1911, "c. 1888–90": 1888, "1861–1919": 1861,
    "ca. 1785–90": 1785, "1635/40": 1635, "c. 1635/40": 1635, "1663/64": 1663, "1976-77": 1976,
    "1884–86": 1884, "1525-1550": 1525, "c. 1600 - c. 1625": 1600, "ca. 1500 - ca. 1550": 1500,
    "1885–early 1890": 1885, "between 1850 and 1860": 1850, "from 1850 to 1860": 1850,
    "1853 or later": 1853, "after 1853": 1853, "before 1650": 1650, "in or before 1890": 1890,
    "in or after 1750": 1750, "no later than 1650": 1650, "not before 1650": 1650, "1650–": 1650,
    "1917, published 1919": 1917, "designed 1910; made 1912": 1910, "1879, printed later": 1879,
    "1889 (posthumous print 1902)": 1889, "1962 (reconstruction 1998)": 1962, "Made 1780–1790": 1780,
    "signed and dated: 1777": 1777, "dated 1777": 1777, "1999, edition of 1500": 1999,
    "March 1879": 1879, "May 21, 1879": 1879, "21 May 1879": 1879, "January 1-3, 1889": 1889,
    "January 1, 3, 1889": 1889, "Spring 1923": 1923, "12-mei-1640": 1640, "12.5.1640": 1640,
    "05/1640": 1640, "12/1888": 1888, "1663-01-12": 1663, "1910-05": 1910, "1888.0": 1888,
    "1888-01-01T00:00:00Z": 1888, "+1888-00-00T00:00:00Z": 1888, "-0300-01-01T00:00:00Z": -300,
    "ca. 1353–1336 B.C.": -1353, "ca. 1353-ca. 1336 B.C.": -1353, "300 B.C.–A.D. 100": -300,
    "300 BC": -300, "300 B.C.E.": -300, "206 BCE-220 CE": -206, "100 BCE–500 CE": -100, "27 B.C.–A.D. 14": -27,
    "Eastern Zhou dynasty (770–256 B.C.)": -770, "Ptolemaic Period, 332–30 B.C.": -332,
    "Dynasty 18, ca. 1479–1458 B.C.": -1479, "10,000 B.C.": -10_000, "ca. 8000–7000 B.C.": -8000,
    "ca. 35,000–28,000 B.C.": -35_000, "-2500": -2500, "−2500": -2500, "-500 to -400": -500, "-0044": -44,
    "300 v. Chr.": -300, "300 av. J.-C.": -300, "300 a.C.": -300, "1200 a.C.": -1200, "1200 d.C.": 1200,
    "A.D. 79": 79, "AD 79": 79, "79 A.D.": 79, "24 August 79 A.D.": 79, "A.D. 1–100": 1, "50–100 CE": 50,
    "79 n. Chr.": 79, "A.D. 1325–1521": 1325, "650": 650, "c. 850": 850, "0650": 650, "7": 7, "79": 79,
    "850–1050": 850, "ca. 700–750": 700, "A.H. 1260/A.D. 1844": 1844, "A.H. 1260/1844": 1844,
    "dated A.H. 917/A.D. 1511–12": 1511, "1260 AH / 1844 CE": 1844, "A.D. 1844/A.H. 1260": 1844,
    "A.H. 13th century/A.D. 19th century": 1800, "A.H. 1260": 1844, "A.H. 1260–1262": 1844,
    "18th century": 1700, "17th-century": 1600, "18th cent.": 1700, "18th c.": 1700, "1st century": 1,
    "5th century B.C.": -500, "5th–4th century B.C.": -500, "2nd-1st c. BC": -200, "1st century A.D.": 1,
    "1st century B.C.–1st century A.D.": -100, "A.D. 2nd century": 100, "12th–13th century": 1100,
    "15th or 16th century": 1400, "15th/16th century": 1400, "late 18th century": 1767,
    "Late 19th century": 1867, "early 18th century": 1700, "Mid–19th century": 1833,
    "mid-18th century": 1733, "mid- to late 18th century": 1733, "late 18th–early 19th century": 1767,
    "1st half of the 18th century": 1700, "second half of the 18th century": 1750,
    "2nd quarter of the 18th century": 1725, "last quarter 19th century": 1875, "late eighteenth century": 1767,
    "first half of the 5th century B.C.": -500, "late 5th century B.C.": -433, "2nd half 5th c. B.C.": -450,
    "3rd millennium B.C.": -3000, "early 2nd millennium B.C.": -2000,
    "紀元前5世紀": -500, "公元前300年": -300, "西元前221年": -221, "前206–公元9": -206, "5世紀": 400,
    "Edo period (1615–1868)": 1615, "Meiji 15 (1882)": 1882, "1600s": 1600, "late 1700s": 1767,
    "1890s": 1890, "1890's": 1890, "late 1890s": 1897, "1890s–1910s": 1890, "1850s-60s": 1850, "1890er": 1890,
    "18--": 1800, "19XX": 1900, "188X": 1880, "um 1650": 1650, "nach 1650": 1650, "17. Jh.": 1600,
    "2. Hälfte 17. Jahrhundert": 1650, "Ende 18. Jh.": 1767, "17.–18. Jh.": 1600, "vers 1650": 1650,
    "XVIIIe siècle": 1700, "2e moitié du XVIIIe siècle": 1750, "fin du XIXe siècle": 1867,
    "17e eeuw": 1600, "eerste helft 18de eeuw": 1700, "siglo XVII": 1600, "sec. XVII": 1600,
    "XVIII century": 1700, "last third of the 19th century": 1867, "first third 18th century": 1700, "2nd third of 18th c.": 1733,
    "middle third of the 16th century": 1533, "last third of the 5th century B.C.": -433, "third century": 200,
    "ca. 10,000–8000 B.C.": -10_000, "12,000 to 9,500 BCE": -12_000, "17-18th century": 1600, "19 c.": 1800,
    "17/18th century": 1600, "19C": 1800, "19..": 1900, "XIX secolo": 1800, "III sec. d.C.": 200,
    "IV-III sec. a.C.": -400, "seconda metà del XVII secolo": 1650, "segunda mitad del siglo XVIII": 1750,
    "mediados del siglo XVIII": 1733, "Último cuarto del siglo XVIII": 1775, "19世紀": 1800, "1888年": 1888,
    "Ier siècle av. J.-C.": -100, "anno 1650": 1650, "model 1890": 1890, "1650 onwards": 1650,
    "1650 & 1660": 1650, "1888\u200b": 1888, "1650 circa": 1650, "hacia 1650": 1650, "in Florence in 1502": 1502,
    "London 1964": 1964, "New York 1964-66": 1964, "printed Paris c. 1650": 1650, "1964 London": 1964,
    "19th century, second half": 1850, "19th century (second half)": 1850, "19th century; last quarter": 1875,
    "18. Jahrhundert, 2. Hälfte": 1750, "XIXe siècle, 2e moitié": 1850, "2nd century B.C., second half": -150,
    "1890s, late": 1897, "late 18th century, early": 1767, "18th–19th century, late": 1700,
    "?1824–7, ?c.1800–10": 1824, "?1808, 1814": 1808, "?1843 or 1844": 1843, "c.1825–30?": 1825, "18th-?19th century": 1700,
    "Project: 1891-1895; Drawn December 20, 1893": 1893, "exhibited 1833": 1833, "first published 1792": 1792,
    "negative 1888; printed 1900": 1888, "zw. 1650 und 1660": 1650, "Herstellung: 1750–1760": 1750, "up to 1970": 1970,
    "later 18th century": 1750, "latter half of the 19th century": 1850, "second part of the 19th century": 1850,
    "mid-to-late 19th century": 1833, "18th century late": 1767, "2/2 17. Jh.": 1650, "2/4 of 18th century": 1725,
    "2. H. 18. Jh.": 1750, "E. 18. Jh.": 1767, "18 Jahrhundert": 1700, "c. 17 century": 1600, "XIXe s.": 1800,
    "fin XVIIIe - début XIXe siècle": 1767, "último tercio del siglo XIX": 1867, "4th century (B.C.)": -400,
    "10.000 v. Chr.": -10_000, "1. Jh. v. - 1. Jh. n. Chr.": -100, "siglo V antes de Cristo": -500,
    "Ve siècle avant notre ère": -500, "IV secolo avanti Cristo": -400, "5. Jh. vor Christus": -500,
    "公元前5世纪": -500, "18～19世紀": 1700, "19世紀後半": 1850, "1930年代": 1930, "約1834年頃": 1834, "기원전 3세기": -300,
    "1256/1840": 1840, "1256 (1840–41)": 1840, "A.H. 1260 / 1844–45 CE": 1844, "1256 de l'Hégire": 1840,
    "1999.10": 1999, "March 15th 1882": 1882, "5 de enero de 1888": 1888, "1970-07-05T00:00:00+01:00": 1970,
}  # fmt: skip
UNDATED = [
    None, "", "  ", "n.d.", "(n.d.)", "Unknown", "undated", "No. 12345", "No. 1234", "no 12", "inv. 1765",
    "Bartsch 1234", "#1650", "Dynasty 18", "edition of 50", "Meiji 15", "'88", "5/6/88", "0", "0000",
    "9999", "12345", "30 x 40", "1650 x 1200 mm", "$1500", "188?", "188-", "18??", "–300", "300 A.C.",
    "1200 a.c.", "5000 years ago", "2000 BP", "V.S. 1850", "22nd century", "0th century", "century",
    "50s", "'60s", "12, 13", "X1650", "late", "B.C.", "A.D.", "1 2 3", "x" * 10_000, "1650 " * 1000,
    "C20", "c19th", "14/20", "፩", "፲፱፻", "𐩀", "12th millennium", "A.H. 11th millennium", "A.H. 20th century",
    "March 79", "1-", "-", "18th", "the 18th of May", "5 × 1650", "1650%", "Köchel 1650",
    "1,888", "1.888", "2 000", "19 70", "1e5", "12.5", "850.1", "1850.25", "2001.30", "2010.123.4", "1999.10.55",
    "1888,0512.3", "25/150", "13/2010", "1:1250", "12 in.", "197(0)", "B.E. 2500", "F-1970", "E 1650", "années 30", "jaren 30",
    "1353–1336", "300–100", "zzz 1891–1895", "zzz – 15. und 16. Jahrhundert", "c. 1747 with later 18th century mounts", "1970 century",
    "5th century before our era", "Roman copy of a Greek original of the 5th c. BC", "in the style of the 16th century",
]  # fmt: skip
SHARED = Path(__file__).parents[3] / "shared" / "cases" / "tables" / "dates.csv"


@pytest.mark.slow
@pytest.mark.parametrize("date", UNDERSTOOD)
def test_a_date_begins_with_the_year_that_it_names(date: str) -> None:
    assert first_year(date) == UNDERSTOOD[date]


@pytest.mark.parametrize("date", UNDATED, ids=lambda date: str(date)[:20])
def test_what_is_not_understood_has_no_year(date: str | None) -> None:
    assert first_year(date) is None


@pytest.mark.skipif(not SHARED.exists(), reason="needs the shared folder beside the checkout")
def test_the_shared_dates_are_read_rightly() -> None:
    with SHARED.open(newline="") as file:
        years = [first_year(row["date"]) for row in csv.DictReader(file)]
    assert years == [-1353, -300, -500, 1700, 1888, -1479, -2500, 1844, 1100, 1650]


WORDS = """1 18 1888 99999 300 th s st - – / , . ( ) [ ] ? @ _ ² ½ ٣ 十 ፩ 𐩀 ' B.C. A.D. A.H. century centuries
    millennium early late half third quarter 2nd 21st XVIIIe last decade Jh. siècle secolo ß İ c. ago""".split()  # noqa: SIM905


@pytest.mark.slow
@given(st.lists(st.sampled_from([*WORDS, " ", " "]), max_size=12), st.text(max_size=6))
def test_any_text_gives_a_year_within_bounds_or_none(words: list[str], other: str) -> None:
    for text in ("".join(words), " ".join([*words, other])):
        year = first_year(text)
        assert year is None or (-EARLIEST <= year <= LATEST and year != 0)


AFTER_CHRIST = st.integers(100, LATEST)
EVERY_YEAR = (
    "{}",
    "c. {}",
    "ca. {}",
    "about {}",
    "before {}",
    "after {}",
    "{}?",
    "[{}]",
    "{} A.D.",
    "AD {}",
)
STYLES = (*EVERY_YEAR, "{} CE", "um {}", "vers {}", "{} (cast 2001)", "dated {}", "in or before {}")  # fmt: skip


@given(AFTER_CHRIST, st.sampled_from(STYLES))
def test_a_year_comes_back_from_every_style(year: int, style: str) -> None:
    if style == "{}?" and year < 1000:
        assert first_year(style.format(year)) is None  # "188?" may be a decade
    else:
        assert first_year(style.format(year)) == year


@given(
    st.integers(1, 99_999),
    st.sampled_from(["{} B.C.", "ca. {} BC", "{} B.C.E.", "{} v. Chr.", "-{}"]),
)
def test_a_year_before_christ_comes_back(year: int, style: str) -> None:
    assert first_year(style.format(year)) == -year


@given(st.integers(-9999, LATEST).filter(bool))
def test_what_people_write_for_a_year_is_that_year(year: int) -> None:
    assert first_year(year_text(year)) == year


@pytest.mark.slow
@given(
    AFTER_CHRIST, st.integers(0, 99), st.sampled_from(["–", "-", " - ", " – ", "/", " to ", " or "])
)
def test_a_range_begins_with_its_first_year(year: int, more: int, dash: str) -> None:
    last = min(LATEST, year + more)
    assert first_year(f"{year}{dash}{last}") == year
    assert first_year(f"c. {year}{dash}{last} A.D.") == year
    assert first_year(f"{last} B.C.{dash}A.D. {year}") == -last


@pytest.mark.slow
@given(
    st.integers(2, 21),
    st.sampled_from(["{} century", "{} cent.", "{} c.", "{}-century", "{} century A.D."]),
)
def test_a_century_begins_with_its_first_year(number: int, style: str) -> None:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10 if number // 10 != 1 else 0, "th")
    text = style.format(f"{number}{ending}")
    assert first_year(text) == 100 * (number - 1)
    assert first_year(f"second half of the {text}") == 100 * (number - 1) + 50
    assert first_year(f"{number}{ending} century B.C.") == -100 * number


@given(st.text(max_size=LONGEST + 20))
def test_any_text_is_a_year_of_the_calendar_or_none(text: str) -> None:
    year = first_year(text)
    assert year is None or -99_999 <= year <= LATEST
    assert year != 0
