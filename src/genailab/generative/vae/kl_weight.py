"""How much the KL term counts: its weight over training, and the bits that are free.

    loss = reconstruction + beta * weight(step) * sum_j max(free_bits, mean over the batch of KL_j)

A decoder that can do without the latent pushes the posterior onto the prior before the encoder has learned
anything (posterior collapse). A warm-up starts without the KL term (Bowman et al. 2016, "Generating Sentences
from a Continuous Space", section 3.1), a cyclic one starts over several times (Fu et al. 2019, "Cyclical
Annealing Schedule", equations 6 and 7), and free bits stop pushing below a floor for each dimension (Kingma
et al. 2016, "Improving Variational Inference with Inverse Autoregressive Flow", equation 15).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from genailab.errors import InputError
from genailab.generative.vae.posterior import Gaussian
from genailab.nn.checks import check_at_least_one, check_choice

__all__ = ["KLSchedule", "KLWeight", "free_bits_kl"]


@dataclass(frozen=True, kw_only=True)
class KLSchedule:
    """Weight of the KL term at each training step; evaluation always counts it whole.

    Examples
    --------
    >>> cyclic = KLSchedule(kind="cyclic", n_steps=8, n_cycles=2)
    >>> [cyclic.weight(step) for step in range(1, 10)]
    [0.5, 1.0, 1.0, 1.0, 0.5, 1.0, 1.0, 1.0, 1.0]
    """

    kind: Literal["constant", "linear", "cyclic"] = "constant"
    n_steps: int = 1000  # of the warm-up, or of all cycles together; the weight is 1 afterwards
    n_cycles: int = 4
    ramp: float = 0.5  # share of a cycle in which the weight rises; 1 in the rest

    def __post_init__(self) -> None:
        check_choice(self, "kind", ("constant", "linear", "cyclic"))
        check_at_least_one(self, "n_steps", "n_cycles")
        if not 0 < self.ramp <= 1:
            raise InputError(f"ramp is {self.ramp}: it must be in (0, 1], the share of a cycle that rises")

    def weight(self, step: int) -> float:
        """Return the weight in [0, 1] at ``step``, counted from 1."""
        if self.kind == "constant" or step > self.n_steps:
            return 1.0
        if self.kind == "linear":
            return step / self.n_steps
        cycle = self.n_steps / self.n_cycles
        within = (step - 1) % cycle + 1  # (0, cycle]
        return min(1.0, within / (self.ramp * cycle))


class KLWeight(nn.Module):
    """Counts the training steps of a `KLSchedule`; saved with the model, so that a resumed run goes on."""

    steps: Tensor

    def __init__(self, schedule: KLSchedule) -> None:
        super().__init__()
        self.schedule = schedule
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))

    def forward(self) -> float:
        """Count a step in training and return its weight; 1 in evaluation, so that epochs compare."""
        if not self.training or self.schedule.kind == "constant":
            return 1.0
        self.steps += 1
        return self.schedule.weight(int(self.steps))


def free_bits_kl(posterior: Gaussian, floor: float) -> Tensor:
    """Return ``sum_j max(floor, mean over the batch of KL_j)`` in nats, a scalar without gradient below.

    Parameters
    ----------
    posterior
        ``(batch, n_latent)``.
    floor
        Nats for each dimension; 0 gives the mean KL term itself.
    """
    per_dimension = posterior.kl_per_dimension().mean(dim=0)  # (n_latent,)
    return per_dimension.clamp(min=floor).sum() if floor > 0 else per_dimension.sum()
