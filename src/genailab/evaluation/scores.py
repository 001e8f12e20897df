"""One number about one set of generated cells, with everything needed to read it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

__all__ = ["Score"]


@dataclass(frozen=True, kw_only=True)
class Score:
    """A metric's value for a subject, with its 95% bootstrap interval over cells.

    Parameters
    ----------
    metric
        Name in `genailab.evaluation.metrics.METRICS`.
    subject
        What made the cells: the model, a baseline, or ``ceiling`` for real cells.
    value, ci_low, ci_high
        The estimate and its interval.
    better
        ``lower``, ``higher``, or the value that is ideal: ``0.5`` or ``1``.
    space
        In words: the space, how many cells of each kind, the bandwidth, neighbours or projections.
    n
        Generated cells used.
    """

    metric: str
    subject: str
    value: float
    ci_low: float
    ci_high: float
    better: str
    space: str
    n: int

    def as_dict(self) -> dict[str, str | float | int]:
        """Return the fields by name, ready for JSON."""
        return asdict(self)
