"""The picture of the lesson: GATTACA as a one-hot tensor."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure


def draw() -> Figure:
    """Return the figure."""
    sequence = "GATTACA"
    encoded = np.array([[float(letter == base) for base in sequence] for letter in "ACGT"])
    figure, axes = plt.subplots(figsize=(5, 2.6), layout="constrained")
    axes.imshow(encoded, cmap="Blues", vmin=0, vmax=1.3)
    for (row, column), value in np.ndenumerate(encoded):
        axes.text(
            column, row, f"{value:.0f}", ha="center", va="center", color="black" if value == 0 else "white"
        )
    axes.set_xticks(range(len(sequence)), list(sequence))
    axes.set_yticks(range(4), list("ACGT"))
    axes.set_xlabel("position")
    axes.set_ylabel("row")
    return figure
