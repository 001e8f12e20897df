"""Mutagenesis and marginalisation beside tangermeme's."""

import pytest
import torch
from torch import nn

from genailab.data.sequences.encoding import one_hot
from genailab.interpret import in_silico_mutagenesis, marginalise

tangermeme = pytest.importorskip("tangermeme")


def model_and_sequences() -> tuple[nn.Module, torch.Tensor]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers = nn.Sequential(
            nn.Conv1d(4, 8, 7, padding=3),
            nn.ReLU(),
            nn.MaxPool1d(2),
            nn.Conv1d(8, 8, 3),
            nn.ReLU(),
            nn.AdaptiveMaxPool1d(1),
            nn.Flatten(),
            nn.Linear(8, 2),
        )
        codes = torch.randint(0, 4, (3, 60), dtype=torch.uint8)
    return layers.eval(), one_hot(codes)


def test_saturation_mutagenesis():
    from tangermeme.saturation_mutagenesis import saturation_mutagenesis

    model, x = model_and_sequences()
    before, after = saturation_mutagenesis(model, x, raw_outputs=True, fast=False, device="cpu")
    found = in_silico_mutagenesis(model, x, target=1)
    assert found.method == "local"
    theirs = after[..., 1] - before[:, None, None, 1]
    torch.testing.assert_close(found.effects, theirs, rtol=0, atol=1e-6)


def test_marginalisation():
    from tangermeme.marginalize import marginalize

    model, x = model_and_sequences()
    before, after = marginalize(model, x, "GATNAAG", start=11, device="cpu")
    found = marginalise(model, "GATNAAG", x, position=11, target=0)
    torch.testing.assert_close(found.before, before[:, 0])
    torch.testing.assert_close(found.after, after[:, 0])
