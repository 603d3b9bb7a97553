"""Numbers of false alarms for readers, never smaller than they are."""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, Decimal

LEAST_SAID = 1e-12  # false alarms: fewer tell a reader no more
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def chance_words(false_alarms: float) -> str:
    """A number of false alarms in a sentence, rounded up: to a whole number from 10 on, to a power of ten below
    a thousandth, to one digit in between."""
    if false_alarms >= 10:
        return f"{math.ceil(false_alarms):,}"
    if false_alarms > 0.001:
        return rounded_up(false_alarms)
    power = math.ceil(math.log10(max(false_alarms, LEAST_SAID)))
    # Logarithms of neighbouring numbers may be equal.
    power += _decimal(false_alarms) > Decimal(10) ** power
    return f"at most 10⁻{str(-power).translate(_RAISED)}"


def rounded_up(number: float) -> str:
    """A number in a table, rounded up to one digit: 0.0021 is "0.003"."""
    exact = _decimal(number)
    if exact <= 0:
        return "0"
    digit = Decimal(1).scaleb(exact.adjusted())
    return f"{float(exact.quantize(digit, ROUND_CEILING)):.1g}"


def _decimal(number: float) -> Decimal:
    """The number as it is written: 0.4 and not the binary number next to it, which is larger."""
    return Decimal(repr(float(number)))
