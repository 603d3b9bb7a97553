"""The words that museums write around years, in the languages of larger collections."""

from __future__ import annotations

_SPELLED = """first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth
fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth twenty-first""".split()  # noqa: SIM905
_OTHER_ORDINALS = {
    "erste": 1, "ersten": 1, "erstes": 1, "zweite": 2, "zweiten": 2, "zweites": 2, "dritte": 3,
    "drittes": 3, "viertes": 4, "letzte": "last", "letztes": "last", "eerste": 1, "tweede": 2,
    "derde": 3, "vierde": 4, "laatste": "last", "première": 1, "premier": 1, "deuxième": 2,
    "seconde": 2, "troisième": 3, "quatrième": 4, "dernier": "last", "dernière": "last",
    "prima": 1, "primo": 1, "seconda": 2, "secondo": 2, "terzo": 3, "ultimo": "last", "ultima": "last",
    "primera": 1, "primer": 1, "segunda": 2, "segundo": 2, "tercer": 3, "último": "last", "última": "last",
}  # fmt: skip
ORDINALS = {word: f"{number}th" for number, word in enumerate(_SPELLED, start=1)} | {
    word: number if isinstance(number, str) else f"{number}th"
    for word, number in _OTHER_ORDINALS.items()
}
ROMAN = {
    "i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7, "viii": 8, "ix": 9, "x": 10,
    "xi": 11, "xii": 12, "xiii": 13, "xiv": 14, "xv": 15, "xvi": 16, "xvii": 17, "xviii": 18,
    "xix": 19, "xx": 20, "xxi": 21,
}  # fmt: skip

# Shares of a century, a decade or a millennium: the k-th of n.
PARTS = {
    **dict.fromkeys(("early", "beginning", "begin", "anfang", "frühes", "début", "inizio", "vroege",
        "principio", "principios", "inicios", "comienzos"), (0, 3)),
    **dict.fromkeys(("mid", "middle", "mitte", "milieu", "midden", "metà", "mediados"), (1, 3)),
    **dict.fromkeys(("late", "end", "ende", "spätes", "fin", "fine", "eind", "einde", "finales", "fines"), (2, 3)),
}  # fmt: skip
LAST = "last"
SHARES = {
    **dict.fromkeys(("half", "part", "hälfte", "moitié", "helft", "metà", "mitad"), 2),
    **dict.fromkeys(("drittel", "tiers", "tercio"), 3),
    **dict.fromkeys(("quarter", "viertel", "quart", "kwart", "quarto", "cuarto"), 4),
    "decade": 10,
}  # fmt: skip
# Shares that follow the century in Chinese, Japanese and Korean, longer ones first.
EAST_ASIAN_SHARES = {
    **dict.fromkeys(("前半", "上半叶", "上半", "전반"), "1th half"),
    **dict.fromkeys(("後半", "后半", "下半叶", "下半", "후반"), "2th half"),
    **dict.fromkeys(("前期", "初頭", "初期", "初葉", "初", "早期", "초"), "early"),
    **dict.fromkeys(("中葉", "中頃", "中期", "半ば", "中叶"), "mid"),
    **dict.fromkeys(("後期", "末期", "末葉", "末", "晚期", "말"), "late"),
}
# German catalogs' "E. 18. Jh." and "2. H. 18. Jh.".
GERMAN_SHARES = {
    "a": "anfang ", "m": "mitte ", "e": "ende ",
    "h": "th hälfte ", "d": "th drittel ", "v": "th viertel ",
}  # fmt: skip
# Separators that lead from the beginning of a range to its end.
RANGES = frozenset("- to till until through bis à tot".split())  # noqa: SIM905
SEPARATORS = frozenset(
    "- / & to or and until till through bis und oder et ou à tot en of au y o e".split()  # noqa: SIM905
)
MONTHS = frozenset(
    """january february march april may june july august september october november december
    jan feb mar apr jun jul aug sep sept oct nov dec
    januar februar märz mai juni juli oktober dezember januari februari maart mei augustus
    janvier février mars avril juin juillet août septembre octobre novembre décembre
    enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
    gennaio febbraio aprile maggio giugno luglio settembre ottobre novembre dicembre
    spring summer autumn fall winter""".split()  # noqa: SIM905
)
# Words beside which a number may be a year: words of dates, and places where much was printed and made
# ("London 1964"). Other names may be those of catalogs of works ("Bartsch 1234").
WORDS = frozenset(
    """c ca circa about approximately approx around near probably possibly perhaps likely presumably
    in on the by between from before after since post ante not no later earlier than still is was
    made designed painted drawn printed published issued cast carved signed dated inscribed executed begun
    started completed finished conceived reworked restored reconstructed reconstruction fabricated
    photographed composed written built engraved etched woven manufactured copyright created produced
    exhibited negative negatives pre prior up
    production date year posthumous revised modelled modeled assembled installed
    onward onwards anno model
    um gegen nach vor zwischen zw wohl datiert dat entwurf ausführung entstanden herstellung hergestellt jahre des der dem das die im jahr
    vers environ env daté datée après avant entre années année du de la le les siècle
    omstreeks rond na voor tussen gedateerd jaren het
    hacia después antes circa del al años 年 年頃 頃 約 约 년
    london paris new york amsterdam berlin rome roma venice venezia florence firenze milan naples vienna
    wien munich münchen dresden antwerp brussels madrid barcelona lisbon prague warsaw copenhagen
    stockholm moscow petersburg istanbul tokyo kyoto edo beijing shanghai boston chicago philadelphia
    edinburgh dublin haarlem leiden nuremberg nürnberg augsburg""".split()  # noqa: SIM905
)
