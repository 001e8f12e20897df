"""What a user is told when the input cannot be right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["InputError", "nearest"]


class InputError(ValueError):
    """A file, a value or a setting that cannot be right.

    The message is one sentence: what is wrong (with the value), where (file, line, cell, gene) and what to
    do about it. The command line prints it without a traceback.
    """


def nearest(name: str, known: Iterable[str], *, limit: int = 3) -> str:
    """Name the known names closest to a mistyped one, ready to end a sentence.

    Examples
    --------
    >>> nearest("bulk_label", ["bulk_labels", "phase", "louvain"])
    "did you mean 'bulk_labels'?"
    >>> nearest("zzz", ["phase", "louvain"])
    "known: 'phase', 'louvain'"
    """
    names = [str(candidate) for candidate in known]
    lowered = {candidate.lower(): candidate for candidate in reversed(names)}
    close = [lowered[match] for match in difflib.get_close_matches(name.lower(), lowered, n=limit)]
    if close:
        return "did you mean " + " or ".join(repr(match) for match in close) + "?"
    shown = ", ".join(repr(candidate) for candidate in names[:8])
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return f"known: {shown}{more}" if names else "there are none"
