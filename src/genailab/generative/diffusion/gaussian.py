"""A conditional Gaussian diffusion of vectors, put together from the five pieces.

Schedule, process, prediction, objective and sampler are each in a file of their own and know nothing of this
class: it only holds a network and names the pieces it uses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.diffusion.guidance import classifier_free
from genailab.generative.diffusion.networks import ResidualDenoiser
from genailab.generative.diffusion.objective import DenoisingObjective
from genailab.generative.diffusion.prediction import Prediction, to_x0
from genailab.generative.diffusion.process import GaussianProcess, beside
from genailab.generative.diffusion.samplers import Denoiser, get_sampler, time_grid
from genailab.generative.diffusion.schedules import make_schedule
from genailab.nn.conditioning import Condition, encode_condition
from genailab.nn.model import Batch, Loss, Model, evaluating

__all__ = ["GaussianDiffusion", "GaussianDiffusionConfig"]


@dataclass(frozen=True, kw_only=True)
class GaussianDiffusionConfig:
    """Size and meaning of a GaussianDiffusion."""

    n_dims: int
    conditions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # category names by covariate
    schedule: str = "cosine"
    # v is well scaled at every time, unlike x0 near data, and eps near noise: there its error is divided by a
    # vanishing alpha, which only ddpm forgets, as it adds fresh noise.
    prediction: Prediction = "v"
    width: int = 256
    depth: int = 4
    dropout: float = 0.0
    drop_condition: float = 0.1  # share of training samples whose condition is hidden, for guidance

    def __post_init__(self) -> None:
        make_schedule(self.schedule)
        if self.prediction not in ("eps", "x0", "v"):
            raise InputError(f"prediction is {self.prediction!r}: choose eps, x0 or v")
        if not 0 <= self.drop_condition < 1:
            raise InputError(f"drop_condition is {self.drop_condition}: it must be in [0, 1)")
        if not 0 <= self.dropout < 1:
            raise InputError(f"dropout is {self.dropout}: it must be in [0, 1)")
        for name in ("n_dims", "width", "depth"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}: it must be at least 1")


class GaussianDiffusion(Model):
    """Learns to undo Gaussian noise on vectors ``x`` ``(batch, n_dims)`` of about unit variance."""

    config_class = GaussianDiffusionConfig
    config: GaussianDiffusionConfig

    def __init__(self, config: GaussianDiffusionConfig) -> None:
        super().__init__()
        self.config = config
        self.schedule = make_schedule(config.schedule)
        self.objective = DenoisingObjective(GaussianProcess(self.schedule), config.prediction)
        self.network = ResidualDenoiser(
            config.n_dims, config.conditions, width=config.width, depth=config.depth, dropout=config.dropout
        )

    def loss(self, batch: Batch) -> Loss:
        """Return the denoising loss of ``batch["x"]`` given the codes of the conditions in the batch."""
        codes = batch
        if self.training and self.config.conditions:
            codes = self.network.drop(batch, self.config.drop_condition)
        error = self.objective(lambda x, t: self.network(x, t, codes), batch["x"]).mean()
        return Loss(error, {"denoising": error})

    def denoiser(self, codes: Mapping[str, Tensor] | None = None) -> Denoiser:
        """Return the function from noisy samples and time to the estimated data, under this condition."""

        def denoise(x: Tensor, t: Tensor) -> Tensor:
            alpha, sigma = beside(self.schedule.alpha(t), x), beside(self.schedule.sigma(t), x)
            return to_x0(self.network(x, t, codes), x, alpha, sigma, kind=self.config.prediction)

        return denoise

    @torch.no_grad()
    def sample(
        self,
        n: int,
        condition: Condition | None = None,
        *,
        generator: torch.Generator | None = None,
        sampler: str = "dpm++2m",
        n_steps: int = 20,
        spacing: Literal["time", "log_snr"] = "log_snr",
        guidance_scale: float = 1.0,
    ) -> Tensor:
        """Generate ``(n, n_dims)``.

        Parameters
        ----------
        n
            How many samples.
        condition
            For each covariate one name, ``n`` names or codes ``(n,)``; None samples the unconditional model.
        generator
            Source of randomness.
        sampler, n_steps, spacing
            ``dpm++2m`` (20 steps), ``ddim`` (50 or more) or ``ddpm`` (hundreds), with steps even in log-SNR
            or time.
        guidance_scale
            1 samples the condition as learned, more sharpens it.

        Raises
        ------
        InputError
            If ``n`` is below 1, the condition is unknown, guidance is asked for without one, or what is asked
            for needs the unconditional model and ``drop_condition`` is 0, so that it was never trained.
        """
        if n < 1:
            raise InputError(f"asked for {n} samples: ask for at least 1")
        if guidance_scale != 1 and condition is None:
            raise InputError(f"guidance_scale is {guidance_scale} but there is no condition to be guided to")
        self._check_unconditional(condition, guidance_scale)
        device = next(self.parameters()).device
        denoiser = self.denoiser()
        if condition is not None:
            codes = encode_condition(condition, self.config.conditions, n, device=device)
            denoiser = classifier_free(self.denoiser(codes), denoiser, guidance_scale)
        x = torch.randn(n, self.config.n_dims, generator=generator, device=device)
        times = time_grid(n_steps, self.schedule, spacing=spacing).to(device)
        with evaluating(self):
            return get_sampler(sampler)(denoiser, x, times, self.schedule, generator=generator)

    def _check_unconditional(self, condition: Condition | None, guidance_scale: float) -> None:
        needed = condition is None or guidance_scale != 1
        if needed and self.config.conditions and self.config.drop_condition == 0:
            raise InputError(
                "the unconditional model was never trained, as drop_condition is 0: give a condition and "
                "guidance_scale 1, or train with drop_condition 0.1"
            )
