"""What a user is told when the input cannot be right."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable

__all__ = ["InputError", "nearest"]


class InputError(ValueError):
    """A file, a value or a setting that cannot be right.

    The message is one sentence: what is wrong (with the value), where (file, line, cell, gene) and what to
    do about it. The command line prints it without a traceback.
    """


def nearest(name: str, known: Iterable[str], *, limit: int = 3, by: Callable[[str], str] = str.lower) -> str:
    """Name the known names closest to a mistyped one, ready to end a sentence.

    ``by`` is what of each name is compared.

    Examples
    --------
    >>> nearest("bulk_label", ["bulk_labels", "phase", "louvain"])
    "did you mean 'bulk_labels'?"
    >>> nearest("zzz", ["phase", "louvain"])
    "known: 'phase', 'louvain'"
    """
    names = [str(candidate) for candidate in known]
    compared: dict[str, list[str]] = {}
    for candidate in names:
        compared.setdefault(by(candidate), []).append(candidate)
    matches = difflib.get_close_matches(by(name), compared, n=limit)
    close = [candidate for match in matches for candidate in compared[match]][:limit]
    if close:
        return "did you mean " + " or ".join(repr(match) for match in close) + "?"
    shown = ", ".join(repr(candidate) for candidate in names[:8])
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return f"known: {shown}{more}" if names else "there are none"
