"""What error messages have in common: the valid name nearest to a wrong one, and lists cut short."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches


def nearest(name: object, valid: Iterable[str]) -> str:
    """The end of an error message about a wrong name.

    Example:
        >>> "unknown unit 'met'" + nearest("met", ["metre", "inch"])
        "unknown unit 'met'; did you mean 'metre'? Valid: metre, inch"
    """
    names = list(valid)
    alike = [each for each in names if each.lower() == str(name).lower()]
    near = alike or get_close_matches(str(name), names, 1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    return f"{hint} Valid: {shortened(names, 40) or 'none'}"


def shortened(entries: Sequence[object], most: int = 8) -> str:
    """The first of a list, and how many more there are.

    Example:
        >>> shortened(["hip", "knee", "ankle"], 2)
        'hip, knee and 1 more'
    """
    more = f" and {len(entries) - most} more" if len(entries) > most else ""
    return ", ".join(map(str, entries[:most])) + more
