"""The picture of the lesson: the donor site's weights, and both strands of a real gene scanned with them."""

import csv
import gzip
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import genailab


def draw() -> Figure:
    """Return the figure."""
    path = Path(genailab.__file__).parent / "data" / "bundled" / "splice_junctions.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        donors = [row["sequence"] for row in csv.DictReader(file) if row["label"] == "donor"]
    donors = [sequence for sequence in donors if set(sequence) <= set("ACGT")]
    hot = np.array([[[base == letter for base in sequence] for letter in "ACGT"] for sequence in donors])
    frequency = (hot[:, :, 27:36].sum(axis=0) + 1) / (len(hot) + 4)
    weights = np.log2(frequency / 0.25)
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 2.8), width_ratios=(1, 1.7), layout="constrained")
    image = left.imshow(weights, cmap="RdBu_r", vmin=-7, vmax=7, aspect="auto")
    left.set_xticks(range(9), ["-3", "-2", "-1", "+1", "+2", "+3", "+4", "+5", "+6"])
    left.set_yticks(range(4), list("ACGT"))
    left.set_xlabel("position in the site (intron from +1)")
    figure.colorbar(image, ax=left, label="bits")
    x = hot[4]
    starts = np.arange(60 - 9 + 1)
    forward = [(x[:, start : start + 9] * weights).sum() for start in starts]
    turned = x[::-1, ::-1]
    # Laid at the same places: a window that begins at s on the other strand covers 60 - 9 - s here.
    backward = [(turned[:, start : start + 9] * weights).sum() for start in starts][::-1]
    right.plot(starts, forward, color="#08519c", label="strand given")
    right.plot(starts, backward, color="#a50f15", linestyle="--", label="other strand")
    right.axvline(27, color="black", linewidth=0.8, linestyle=":")
    right.set_xlabel("start of the window (dotted: the real site)")
    right.set_ylabel("score, bits")
    right.legend(frameon=False, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return figure
