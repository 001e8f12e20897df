"""The picture of the lesson: the same hidden units without and with dropout."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

P = 0.3


def draw() -> Figure:
    """Return the figure."""
    rng = np.random.default_rng(4)
    hidden = np.maximum(rng.normal(size=(8, 12)) + 0.8, 0)
    passes = [hidden * (rng.random(hidden.shape) >= P) / (1 - P) for _ in range(2)]
    figure, panels = plt.subplots(1, 3, figsize=(7, 2.4), layout="constrained", sharey=True)
    titles = ("evaluation", "training, one step", "training, the next")
    for axes, values, title in zip(panels, (hidden, *passes), titles, strict=True):
        shown = axes.imshow(values, cmap="Blues", vmin=0, vmax=4)
        axes.set(title=title, xlabel="hidden unit", xticks=[], yticks=[])
        for row, column in np.argwhere((values == 0) & (hidden > 0)):
            axes.text(column, row, "x", ha="center", va="center", color="#d95f02", fontsize=9)
    panels[0].set_ylabel("gene")
    figure.colorbar(shown, ax=panels, shrink=0.8, label="value")
    return figure
