"""What happened in each epoch, in memory and as JSON lines."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

__all__ = ["History"]


@dataclass
class History:
    """One record an epoch: epoch, step, loss, every named term, and the same on the validation data."""

    records: list[dict[str, Any]] = field(default_factory=list)
    best_epoch: int | None = None

    def append(self, record: Mapping[str, Any], file: Path | None = None) -> None:
        """Add an epoch, and a line to the file."""
        self.records.append(dict(record))
        if file is not None:
            with file.open("a") as lines:
                lines.write(json.dumps(record) + "\n")

    def rewrite(self, file: Path) -> None:
        """Write all records anew: after a resume the file holds no epoch twice."""
        beside = file.with_name(file.name + ".tmp")
        beside.write_text("".join(json.dumps(record) + "\n" for record in self.records))
        os.replace(beside, file)

    def frame(self) -> pd.DataFrame:
        """Return the records as a table, one row an epoch."""
        return pd.DataFrame(self.records)

    @classmethod
    def read(cls, file: str | Path) -> History:
        """Read the JSON lines that training wrote."""
        return cls([json.loads(line) for line in Path(file).read_text().splitlines()])
