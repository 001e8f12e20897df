"""The picture of the lesson: the loss over two weights, of independent and of correlated features."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure


def draw() -> Figure:
    """Return the figure."""
    generator = np.random.default_rng(0)
    figure, panels = plt.subplots(1, 2, figsize=(6.4, 3), layout="constrained", sharey=True)
    grid = np.linspace(-3, 3, 41)
    first, second = np.meshgrid(grid, grid)
    for axes, shared, title in zip(panels, (0.0, 0.9), ("independent", "correlated"), strict=True):
        mixing = np.array([[1.0, shared], [0.0, np.sqrt(1 - shared**2)]])
        features = generator.standard_normal((400, 2)) @ mixing
        expression = features @ np.array([0.8, 0.5])
        guesses = first[..., None] * features[:, 0] + second[..., None] * features[:, 1]
        loss = ((guesses - expression) ** 2).mean(axis=-1)
        axes.contourf(first, second, np.sqrt(loss), levels=14, cmap="Blues_r")
        axes.plot(0.8, 0.5, "+", color="#b2182b", markersize=10, markeredgewidth=2)
        axes.set_title(f"{title} features")
        axes.set_xlabel("w0")
        axes.set_aspect("equal")
    panels[0].set_ylabel("w1")
    return figure
