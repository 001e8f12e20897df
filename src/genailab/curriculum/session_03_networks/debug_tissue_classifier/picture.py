"""The picture of the lesson: the symptom, from the program as it is given."""

from pathlib import Path

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure

from genailab.learn.checking.loading import load_source


def draw() -> Figure:
    """Return the figure."""
    path = Path(__file__).parent / "starter.py"
    program = load_source(path.read_text(encoding="utf-8"), path)
    torch.manual_seed(0)
    profiles, tissue = 1.5 * torch.randn(8, 20), torch.randint(0, 8, (800,))
    x = profiles[tissue] + torch.randn(800, 20)
    x = (x - x.mean(0)) / x.std(0)
    model = program["TissueClassifier"](20, 8)
    losses = [program["tissue_loss"](model, x, tissue).item()]
    for _ in range(5):
        program["train"](model, x, tissue)
        losses.append(program["tissue_loss"](model, x, tissue).item())
    figure, axes = plt.subplots(figsize=(5, 2.6), layout="constrained")
    axes.plot(range(0, 61, 12), losses, marker="o")
    axes.axhline(0, color="0.7", linewidth=0.8)
    axes.set(xlabel="epoch", ylabel="training loss", ylim=(-0.1, 2.3))
    return figure
