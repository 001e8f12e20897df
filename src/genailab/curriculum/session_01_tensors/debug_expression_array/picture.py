"""The picture of the lesson: three genes by three samples, centred along either axis."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure


def draw() -> Figure:
    """Return the figure."""
    table = np.array([[1.0, 2, 3], [11, 10, 12], [20, 22, 21]])
    means = table.mean(axis=1)
    parts = (
        ("table", table),
        ("minus (3, 1): each gene has mean 0", table - means[:, None]),
        ("minus (3,): no error, no sense", table - means),
    )
    figure, axes = plt.subplots(1, 3, figsize=(8, 2.6), layout="constrained")
    for place, (title, values) in zip(axes, parts, strict=True):
        place.imshow(values, cmap="RdBu_r", vmin=-30, vmax=30)
        for (row, column), value in np.ndenumerate(values):
            place.text(column, row, f"{value:.0f}", ha="center", va="center")
        place.set_title(title, fontsize=10)
        place.set_xticks(range(3), [f"sample {number}" for number in range(3)], fontsize=8)
        place.set_yticks(range(3), [f"gene {number}" for number in range(3)], fontsize=8)
    return figure
