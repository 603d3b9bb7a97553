"""What museums write in place of a name or a value that is not known: one rule for scores and pages."""

from __future__ import annotations

import re

_UNKNOWN = "|".join(
    (
        "unknown|unidentified|anonymous|undated|untitled|none|n/?a|not known|location unknown",
        "unbekannt(?:e[rns]?)?|anonym(?:e[rns]?|us)?",  # German, Danish, Swedish, Norwegian
        "inconnue?s?|anonymes?",  # French
        "onbekende?|anoniem",  # Dutch
        "an[oóôò]nim[oa]|desconocid[oa]|desconhecid[oa]|sconosciut[oa]|ignot[oa]",
        "ukendt|ukjent|okänd|tuntematon",
        "nieznan[ya]|anonimow[ya]|neznámý|anonymní",
        "неизвестн\\w*|аноним\\w*",
        "佚名|作者不詳|作者不明|作者未詳|不詳|不明",
    )
)
UNKNOWN = re.compile(rf"^\W*(?:{_UNKNOWN})(?!\w)|^\W*$", re.IGNORECASE)
