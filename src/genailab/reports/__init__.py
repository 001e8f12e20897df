"""One self-contained HTML page from a pipeline's results."""

from __future__ import annotations

from genailab.reports.contents import DatasetSummary, LeftOut, Reproduction
from genailab.reports.single_cell import SingleCellReport, render

__all__ = ["DatasetSummary", "LeftOut", "Reproduction", "SingleCellReport", "render"]
