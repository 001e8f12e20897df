"""The picture of the lesson: how the weights should shrink with the penalty, and that they do not."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure


def draw() -> Figure:
    """Return the figure."""
    generator = np.random.default_rng(0)
    features = generator.standard_normal((40, 30))
    expression = features[:, :3].sum(axis=1) + generator.standard_normal(40)
    strengths = np.geomspace(0.01, 10, 30)
    gram, product = features.T @ features / 40, features.T @ expression / 40
    sizes = [(np.linalg.solve(gram + s * np.eye(30), product) ** 2).sum() for s in strengths]
    free = (np.linalg.solve(gram, product) ** 2).sum()
    figure, axes = plt.subplots(figsize=(5, 2.8), layout="constrained")
    axes.semilogx(strengths, sizes, color="black", label="as it should be")
    axes.axhline(free, color="#b2182b", linestyle="--", label="as it is")
    axes.set_ylim(0)
    axes.set_xlabel("strength of the penalty")
    axes.set_ylabel("sum of squared weights")
    axes.legend(frameon=False)
    return figure
