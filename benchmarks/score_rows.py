"""Scores with their intervals: as lines to read, and as rows to keep with a result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genailab.evaluation.scores import Score

__all__ = ["as_rows", "as_text"]


def as_rows(scores: Sequence[Score]) -> list[dict[str, Any]]:
    """Return what JSON keeps of each score, to four digits."""
    return [
        {
            "subject": score.subject,
            "metric": score.metric,
            "value": round(score.value, 4),
            "low": round(score.ci_low, 4),
            "high": round(score.ci_high, 4),
        }
        for score in scores
    ]


def as_text(scores: Sequence[Score]) -> str:
    """Return one line a score, with its interval, in columns."""
    subject = max(len(score.subject) for score in scores)
    metric = max(len(score.metric) for score in scores)
    return "\n".join(
        f"{score.subject:{subject}}  {score.metric:{metric}}  {score.value:7.3f}  "
        f"({score.ci_low:.3f} to {score.ci_high:.3f})"
        for score in scores
    )
