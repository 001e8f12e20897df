"""The picture of the lesson: the loss by step for three learning rates, on measured splice sites."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from genailab.data.bundled.sequence_sets import load_splice_site_activity

HIGHEST = 0.5  # loss that is shown


def losses(features: np.ndarray, target: np.ndarray, rate: float, steps: int = 60) -> list[float]:
    """Return the mean squared error before each step of gradient descent from zeros."""
    weights, bias, found = np.zeros(features.shape[1]), 0.0, []
    for _ in range(steps):
        error = features @ weights + bias - target
        found.append(float((error**2).mean()))
        weights -= rate * 2 / len(target) * features.T @ error
        bias -= rate * 2 * error.mean()
    return found


def draw() -> Figure:
    """Return the figure."""
    sites = load_splice_site_activity()
    rows = sites.positions("train")[:3000]
    features = np.eye(4)[sites.codes[rows].numpy()].reshape(len(rows), -1)
    target = sites.table["log10_psi"].to_numpy()[rows]
    figure, axes = plt.subplots(figsize=(5.4, 3), layout="constrained")
    for rate, style, words in ((0.001, ":", "too small"), (0.1, "-", "good"), (0.25, "--", "too large")):
        found = losses(features, target, rate)
        axes.plot(found, style, color="black", linewidth=1.8)
        shown = [step for step, loss in enumerate(found) if loss < HIGHEST]
        axes.annotate(f" {rate:g}: {words}", (shown[-1], found[shown[-1]]), va="center")
    axes.set_xlim(0, 82)
    axes.set_ylim(0.15, HIGHEST)
    axes.set_xticks(range(0, 61, 20))
    axes.set_xlabel("step")
    axes.set_ylabel("mean squared error")
    return figure
