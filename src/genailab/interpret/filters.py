"""What the filters of a first layer look for, as motifs that can be compared with JASPAR."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genailab.data.motifs.motif import Motif
from genailab.data.sequences.encoding import one_hot
from genailab.errors import InputError
from genailab.interpret.outputs import as_evaluated, check_sequences

__all__ = ["filters_to_motifs"]


@torch.no_grad()
def filters_to_motifs(
    model: nn.Module, sequences: Tensor, *, threshold: float = 0.5, batch_size: int = 256
) -> list[Motif]:
    """Count the letters of the sites that activate each filter, one motif a filter.

    A site is a subsequence that brings the filter above a share of its highest activation on all sequences;
    sites are laid over each other and counted (Alipanahi et al. 2015, supplementary note 10.2; Kelley, Snoek
    & Rinn 2016, "Basset").

    Parameters
    ----------
    model
        A model with ``detectors``, such as `MotifCNN` and `DeepBind`, or a module from one-hot to activations
        ``(batch, filters, positions)`` that starts with the ``nn.Conv1d`` of the filters: ``network[:2]`` for
        a convolution and its ReLU. It must not pool.
    sequences
        DNA codes ``(batch, length)`` or one-hot ``(batch, 4, length)``: held-out sequences that the model
        calls positive show what it looks for.
    threshold
        Share of the highest activation.
    batch_size
        Rows at a time.

    Returns
    -------
    A motif a filter, in their order, named ``"filter 0"``...; one that nothing activates has counts of 0.
    """
    if not 0 < threshold < 1:
        raise InputError(f"threshold {threshold} is no share between 0 and 1: 0.5 is usual")
    detectors = getattr(model, "detectors", model)
    filters = _first_convolution(detectors)
    parts = sequences.split(batch_size)
    with as_evaluated(model):
        highest = torch.stack(
            [_activations(detectors, _one_hot(part), filters).amax(dim=(0, 2)) for part in parts]
        )
        cut = (threshold * highest.amax(dim=0)).clamp(min=0)  # (filters,)
        counts = torch.zeros(*filters.weight.shape, dtype=torch.float64, device=cut.device)
        for part in parts:
            x = _one_hot(part)
            sites = (_activations(detectors, x, filters) > cut[:, None]).to(
                x.dtype
            )  # (batch, filters, places)
            letters = x.unfold(2, filters.kernel_size[0], 1)  # (batch, 4, places, filter length)
            counts += torch.einsum("bfp,bcpk->fck", sites, letters).double()
    return [Motif(name=f"filter {number}", counts=one.cpu().numpy()) for number, one in enumerate(counts)]


def _one_hot(sequences: Tensor) -> Tensor:
    x = one_hot(sequences) if sequences.dim() == 2 else sequences
    check_sequences(x)
    return x


def _first_convolution(detectors: nn.Module) -> nn.Conv1d:
    found = next((module for module in detectors.modules() if isinstance(module, nn.Conv1d)), None)
    if found is None or found.stride != (1,) or found.dilation != (1,) or found.groups != 1:
        raise InputError(
            f"{type(detectors).__name__} does not start with a convolution of stride and dilation 1 "
            f"({found}): give the part of the model from one-hot to the first activations"
        )
    return found


def _activations(detectors: nn.Module, x: Tensor, filters: nn.Conv1d) -> Tensor:
    """Activations of the filters where they lie within the sequence: ``(batch, filters, places)``."""
    activations = detectors(x)
    places = x.shape[2] - filters.kernel_size[0] + 1
    beyond = activations.shape[2] - places if activations.dim() == 3 else -1
    if places < 1 or beyond < 0 or beyond % 2 or activations.shape[1] != filters.out_channels:
        raise InputError(
            f"activations of shape {tuple(activations.shape)} for sequences {tuple(x.shape)} are not one a "
            f"position of each of {filters.out_channels} filters of {filters.kernel_size[0]}: give the part "
            "of the model before any pooling, and sequences at least as long as the filters"
        )
    return activations[:, :, beyond // 2 : beyond // 2 + places]
