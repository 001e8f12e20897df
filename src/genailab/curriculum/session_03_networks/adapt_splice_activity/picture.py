"""The picture of the lesson: measured activity by the first two letters of the intron."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from genailab.data.bundled.sequence_sets import load_splice_site_activity


def draw() -> Figure:
    """Return the figure."""
    table = load_splice_site_activity().table
    begins = table["sequence"].str[3:5]
    figure, axes = plt.subplots(figsize=(5.6, 2.8), layout="constrained")
    edges = np.linspace(table["log10_psi"].min(), table["log10_psi"].max(), 50)
    groups = {
        "intron begins with GT": begins == "GT",
        "with GC": begins == "GC",
    }
    for (label, chosen), style in zip(groups.items(), ("-", "--"), strict=True):
        values = table["log10_psi"][chosen]
        axes.hist(values, edges, density=True, histtype="step", label=label, linestyle=style, linewidth=1.6)
    axes.set(xlabel="activity: log10 of percent spliced in", ylabel="density of sites", yscale="log")
    axes.legend(frameon=False)
    return figure
