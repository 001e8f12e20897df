"""The variational bound of D3PM: a sum of divergences over T steps from noise to data.

    -log p(x_0) <= KL(q(x_T | x_0) || pi) + sum over i of  E KL(q(x_{i-1} | x_i, x_0) || p(x_{i-1} | x_i))

with ``x_i`` at time ``i / T``; the step to data, i = 1, is ``-log p(x_0 | x_1)``. The first term is 0, as
nothing is kept at t = 1. One step, drawn at random and counted T times, estimates the sum without bias.
Austin et al. 2021, "Structured Denoising Diffusion Models in Discrete State-Spaces", equations 1 and 5 (the
latter adds ``weight * -log p(x_0 | x_t)``).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from genailab.errors import InputError
from genailab.generative.diffusion.discrete.denoisers import LetterDenoiser
from genailab.generative.diffusion.discrete.process import DiscreteProcess
from genailab.generative.diffusion.times import low_discrepancy_times

__all__ = ["d3pm_terms", "transition_divergence"]


def transition_divergence(
    log_probabilities: Tensor, codes: Tensor, x_t: Tensor, s: Tensor, t: Tensor, process: DiscreteProcess
) -> Tensor:
    """Return ``KL(q(x_s | x_t, x_0) || p(x_s | x_t))`` at each position, ``(batch, length)``, in nats.

    Parameters
    ----------
    log_probabilities
        The network's ``log p(x_0 | x_t)``, ``(batch, n_letters, length)``.
    codes, x_t
        The data and their noisy states, uint8 ``(batch, length)``.
    s, t
        Times, ``s < t``, scalar or ``(batch,)``.
    """
    data = one_hot(codes.long(), process.n_letters).movedim(-1, 1).to(log_probabilities)
    true = process.step_back(x_t, data, s, t)  # (batch, n_states, length)
    model = process.step_back(x_t, log_probabilities.exp(), s, t)
    # Where true is 0 its term is 0; model is 0 only there, or where the network's own probability underflows.
    log_model = model.clamp(min=torch.finfo(model.dtype).tiny).log()
    return (torch.xlogy(true, true) - true * log_model).sum(dim=1)


def d3pm_terms(
    denoiser: LetterDenoiser,
    codes: Tensor,
    process: DiscreteProcess,
    *,
    n_steps: int,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Estimate the bound at one random step a sequence.

    Returns
    -------
    The bound in nats a sequence, ``(batch,)``, and ``-log p(x_0 | x_t)`` there, also ``(batch,)``.

    Raises
    ------
    InputError
        If there are fewer than 1 steps.
    """
    if n_steps < 1:
        raise InputError(f"the bound is over {n_steps} steps: give at least 1")
    moments = low_discrepancy_times(len(codes), generator=generator, device=codes.device)
    step = (moments * n_steps).long().clamp(max=n_steps - 1)  # 0 is the step to data
    s, t = step / n_steps, (step + 1) / n_steps
    x_t = process.corrupt(codes, t, generator=generator)
    log_probabilities = denoiser(x_t, t)
    divergence = transition_divergence(log_probabilities, codes, x_t, s, t, process)
    missed = -log_probabilities.gather(1, codes.long()[:, None]).squeeze(1)  # (batch, length)
    return n_steps * divergence.sum(dim=1), missed.sum(dim=1)
