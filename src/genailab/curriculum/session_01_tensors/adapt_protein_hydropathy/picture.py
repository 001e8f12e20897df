"""The picture of the lesson: the hydropathy of bacteriorhodopsin in windows of 19."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from genailab.learn.checking.loading import load_module

WIDTH, THRESHOLD = 19, 1.6


def draw() -> Figure:
    """Return the figure."""
    data = load_module(Path(__file__).parent / "check.py", "genailab_hydropathy_of_the_picture")
    sequence = data.BACTERIORHODOPSIN
    means = data.means(data.values_of(sequence), WIDTH)
    inside = data.marked(sequence, WIDTH, THRESHOLD)
    figure, axes = plt.subplots(figsize=(7, 2.6), layout="constrained")
    middles = np.arange(len(means)) + WIDTH // 2
    axes.plot(middles, means, color="#08519c")
    axes.axhline(THRESHOLD, color="black", linewidth=0.8, linestyle=":")
    axes.fill_between(
        np.arange(len(sequence)),
        -2.6,
        -2.3,
        where=inside,
        step="mid",
        color="#a50f15",
        label="marked residues",
    )
    axes.set_xlabel("residue (middle of the window)")
    axes.set_ylabel("mean hydropathy")
    axes.legend(frameon=False, loc="lower right", bbox_to_anchor=(1.0, 0.98))
    return figure
