"""The picture of the lesson: counts, counts per million and z-scores of twelve blood cells."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

GENES = ("LYZ", "S100A9", "CST3", "HLA-DRA", "CD74", "CD79A", "NKG7", "CCL5", "CD3D", "LTB")


def draw() -> Figure:
    """Return the figure."""
    lines = (Path(__file__).parent / "counts.csv").read_text(encoding="utf-8").splitlines()[1:]
    table = {line.split(",")[0]: np.array(line.split(",")[1:], dtype=float) for line in lines}
    genes = [gene for gene in GENES if gene in table]
    library = sum(table.values())
    counts = np.stack([table[gene] for gene in genes])[:, :12]
    million = counts / library[:12] * 1e6
    logged = np.log1p(million)
    scores = (logged - logged.mean(axis=1, keepdims=True)) / logged.std(axis=1, ddof=1, keepdims=True)
    parts = (
        ("counts", counts, "Blues"),
        ("log(1 + per million)", logged, "Blues"),
        ("z-scores", scores, "RdBu_r"),
    )
    figure, axes = plt.subplots(1, 3, figsize=(8, 3), sharey=True, layout="constrained")
    for place, (title, values, colours) in zip(axes, parts, strict=True):
        largest = np.abs(values).max()
        image = place.imshow(values, cmap=colours, vmin=-largest if title == "z-scores" else 0, vmax=largest)
        place.set_title(title)
        place.set_xlabel("sample")
        figure.colorbar(image, ax=place, shrink=0.8)
    axes[0].set_yticks(range(len(genes)), genes)
    return figure
