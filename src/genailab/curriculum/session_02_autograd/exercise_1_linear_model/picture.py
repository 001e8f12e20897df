"""The picture of the lesson: the loss over two weights, and a path of gradient descent down to its bottom."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure


def draw() -> Figure:
    """Return the figure."""
    generator = np.random.default_rng(2)
    features = generator.standard_normal((40, 2)) @ np.array([[1.0, 0.5], [0.0, 0.6]])
    expression = features @ np.array([1.5, 1.0]) + 0.3 * generator.standard_normal(40)
    path = [np.array([-1.0, 2.5])]
    for _ in range(25):
        path.append(path[-1] - 0.25 * 2 / 40 * features.T @ (features @ path[-1] - expression))
    first, second = np.meshgrid(np.linspace(-2, 4, 80), np.linspace(-1.5, 3.5, 80))
    guesses = first[..., None] * features[:, 0] + second[..., None] * features[:, 1]
    loss = ((guesses - expression) ** 2).mean(axis=-1)
    figure, axes = plt.subplots(figsize=(5, 3.2), layout="constrained")
    axes.contourf(first, second, np.log10(loss), levels=12, cmap="Blues_r", alpha=0.7)
    axes.plot(*np.array(path).T, "o-", color="#b2182b", markersize=3, linewidth=1)
    axes.annotate("start", path[0], xytext=(-6, 6), textcoords="offset points", ha="right")
    axes.set_xlabel("weight of H3K4me3")
    axes.set_ylabel("weight of H3K27ac")
    return figure
