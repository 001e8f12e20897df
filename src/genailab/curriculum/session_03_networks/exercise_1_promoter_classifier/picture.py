"""The picture of the lesson: elements in register and out of it."""

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

STARTS = (90, 150)


def draw() -> Figure:
    """Return the figure."""
    figure, axes = plt.subplots(figsize=(6, 2.6), layout="constrained")
    rows = [(0, 0, "promoter"), (1, 1, "promoter"), (0, 1, "decoy"), (1, 0, "decoy")]  # TATA, initiator
    for height, (tata, initiator, kind) in zip((3, 2, 1, 0), rows, strict=True):
        axes.plot([0, 200], [height, height], color="0.6", zorder=0)
        axes.barh(height, 8, left=STARTS[tata] - 30, height=0.45, color="#d95f02")
        axes.barh(height, 7, left=STARTS[initiator] - 2, height=0.45, color="#1f78b4")
        axes.text(STARTS[tata] - 26, height + 0.32, "TATA", ha="center", fontsize=8)
        axes.text(STARTS[initiator] + 1, height + 0.32, "Inr", ha="center", fontsize=8)
        axes.text(205, height, kind, va="center")
    axes.set(xlim=(0, 240), ylim=(-0.5, 3.8), xlabel="position", yticks=[], xticks=[0, 50, 90, 150, 200])
    axes.spines[["left", "right", "top"]].set_visible(False)
    return figure
