"""The picture of the lesson: what feeds what, and which loss reaches which part."""

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

BOXES = {
    "12 factors": (0.0, 1.0, "0.85"),
    "trunk": (1.6, 1.0, "#cfe3f3"),
    "expression\nhead": (3.3, 1.7, "#fde0c5"),
    "tissue\nhead": (3.3, 0.3, "#d5ecd0"),
    "squared\nerror": (5.0, 1.7, "#fde0c5"),
    "cross-\nentropy": (5.0, 0.3, "#d5ecd0"),
}
FORWARD = [
    ("12 factors", "trunk"),
    ("trunk", "expression\nhead"),
    ("trunk", "tissue\nhead"),
    ("expression\nhead", "squared\nerror"),
    ("tissue\nhead", "cross-\nentropy"),
]


def draw() -> Figure:
    """Return the figure."""
    figure, axes = plt.subplots(figsize=(6.4, 2.8), layout="constrained")
    for name, (x, y, color) in BOXES.items():
        axes.text(
            x,
            y,
            name,
            ha="center",
            va="center",
            bbox={"boxstyle": "round,pad=0.45", "fc": color, "ec": "0.4"},
        )
    for source, target in FORWARD:
        (x0, y0, _), (x1, y1, _) = BOXES[source], BOXES[target]
        arrow(axes, (x0 + 0.5, y0), (x1 - 0.55, y1), color="0.3")
        if source != "12 factors":
            arrow(axes, (x1 - 0.55, y1 - 0.16), (x0 + 0.5, y0 - 0.16), color="#d95f02", style="--")
    axes.text(2.5, -0.35, "dashed: gradients go back", color="#d95f02", ha="center")
    axes.set(xlim=(-0.7, 5.7), ylim=(-0.5, 2.2))
    axes.axis("off")
    return figure


def arrow(axes, start, end, *, color, style="-") -> None:
    axes.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": color, "linestyle": style})
