"""The picture of the lesson: the weights of a logistic regression of donor sites, as a logo."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from genailab.data.bundled.sequence_sets import load_splice_junctions
from genailab.interpret.logos import draw_letters

FIRST, LAST = 24, 40  # positions that are shown


def trained_weights() -> np.ndarray:
    """Return the weights (60, 4) after 300 steps on the training part, centred at each position."""
    junctions = load_splice_junctions()
    rows = junctions.positions("train")
    features = np.eye(4)[junctions.codes[rows].numpy()].reshape(len(rows), -1)
    labels = (junctions.table["label"] == "donor").to_numpy()[rows]
    weights, bias = np.zeros(240), 0.0
    for _ in range(300):
        error = 1 / (1 + np.exp(-(features @ weights + bias))) - labels
        weights -= 0.3 * features.T @ error / len(rows)
        bias -= 0.3 * error.mean()
    by_position = weights.reshape(60, 4)
    return by_position - by_position.mean(axis=1, keepdims=True)


def draw() -> Figure:
    """Return the figure."""
    # Positions as biologists count them: -1 is the last of the exon, 1 the first of the intron.
    counted = [position - 30 if position < 30 else position - 29 for position in range(FIRST, LAST)]
    figure, axes = plt.subplots(figsize=(6, 2.6), layout="constrained")
    draw_letters(axes, trained_weights()[FIRST:LAST].T)
    axes.axvline(29.5 - FIRST, color="black", linestyle=":", linewidth=1)
    axes.set_xticks(range(len(counted)), [str(position) for position in counted])
    axes.set_xlabel("position (exon | intron)")
    axes.set_ylabel("weight")
    return figure
