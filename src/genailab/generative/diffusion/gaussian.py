"""A conditional Gaussian diffusion of vectors, put together from the five pieces.

Schedule, process, prediction, objective and sampler are each in a file of their own and know nothing of this
class: it only holds a network and names the pieces it uses. Four families are four settings of it::

    diffusion        schedule="cosine",  prediction="v"            Ho et al. 2020; Salimans & Ho 2022
    score model      schedule="ve",      prediction="score"        Song et al. 2021
    EDM              schedule="edm",     prediction="edm", times="edm"             Karras et al. 2022
    flow matching    schedule="cond_ot", prediction="velocity", times="uniform"    Lipman et al. 2023
                     and coupling="optimal_transport"              Tong et al. 2024
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.diffusion.asked import asked_codes
from genailab.generative.diffusion.coupling import COUPLINGS, Coupling, couple
from genailab.generative.diffusion.guidance import classifier_free
from genailab.generative.diffusion.networks import ResidualDenoiser
from genailab.generative.diffusion.objective import DenoisingObjective
from genailab.generative.diffusion.parametrised import PARAMETRISATIONS, Parametrisation, Parametrised
from genailab.generative.diffusion.process import GaussianProcess
from genailab.generative.diffusion.samplers import Denoiser, Spacing, get_sampler, time_grid
from genailab.generative.diffusion.schedules import LearnedSchedule, VariancePreserving, make_schedule
from genailab.generative.diffusion.schedules.learned import VarianceGradient
from genailab.generative.diffusion.times import TIMES, Times
from genailab.generative.diffusion.weighting import WEIGHTINGS, Weighting
from genailab.generative.vectors import checked_vectors
from genailab.nn.checks import check_at_least_one, check_choice, check_share
from genailab.nn.conditioning import Condition
from genailab.nn.model import Batch, Loss, Model, evaluating

__all__ = ["GaussianDiffusion", "GaussianDiffusionConfig"]


@dataclass(frozen=True, kw_only=True)
class GaussianDiffusionConfig:
    """Size and meaning of a GaussianDiffusion."""

    n_dims: int
    conditions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # category names by covariate
    schedule: str = "cosine"
    # v is well scaled at every time, unlike x0 near data, and eps near noise: there its error is divided by a
    # vanishing alpha, which only ddpm forgets, as it adds fresh noise. The score is eps in other units.
    prediction: Parametrisation = "v"
    weighting: Weighting = "simple"
    times: Times = "low_discrepancy"  # at which the network is trained
    coupling: Coupling = "independent"
    sigma_data: float = 1.0  # standard deviation of the data, for the prediction and the weights "edm"
    width: int = 256
    depth: int = 4
    dropout: float = 0.0
    drop_condition: float = 0.1  # share of training samples whose condition is hidden, for guidance

    def __post_init__(self) -> None:
        make_schedule(self.schedule)
        check_choice(self, "prediction", PARAMETRISATIONS)
        check_choice(self, "weighting", WEIGHTINGS)
        check_choice(self, "times", TIMES)
        check_choice(self, "coupling", COUPLINGS)
        check_share(self, "drop_condition", "dropout")
        check_at_least_one(self, "n_dims", "width", "depth")
        if not self.sigma_data > 0:
            raise InputError(f"sigma_data is {self.sigma_data}: data need a standard deviation above 0")
        if self.weighting == "elbo" and self.times not in ("uniform", "low_discrepancy"):
            raise InputError(
                f"times are {self.times!r} but the weights 'elbo' are a bound at uniform times alone: set "
                "times='low_discrepancy'"
            )
        if self.schedule == "learned" and self.weighting != "elbo":
            raise InputError(
                f"the schedule is learned but the weighting is {self.weighting!r}: any other than 'elbo' is "
                "least where the schedule is easy, not where it is good; set weighting='elbo'"
            )


class GaussianDiffusion(Model):
    """Learns to undo Gaussian noise on vectors ``x`` ``(batch, n_dims)`` of about unit variance."""

    config_class = GaussianDiffusionConfig
    config: GaussianDiffusionConfig

    def __init__(self, config: GaussianDiffusionConfig) -> None:
        super().__init__()
        self.config = config
        self.schedule = make_schedule(config.schedule)
        self.parametrised = Parametrised(self.schedule, config.prediction, sigma_data=config.sigma_data)
        self.network = ResidualDenoiser(
            config.n_dims, config.conditions, width=config.width, depth=config.depth, dropout=config.dropout
        )

    def loss(self, batch: Batch) -> Loss:
        """Return the denoising loss of ``batch["x"]`` given the codes of the conditions in the batch."""
        x0 = checked_vectors(batch, self.config.n_dims)
        codes = batch
        if self.training and self.config.conditions:
            codes = self.network.drop(batch, self.config.drop_condition)
        noise: Tensor | None = None
        if self.config.coupling != "independent":
            own = {key: codes[key] for key in self.config.conditions}
            noise = torch.randn_like(x0)
            data_index, noise_index = couple(self.config.coupling, x0, noise, own)
            x0, noise = x0[data_index], noise[noise_index]
            codes = {key: values[data_index] for key, values in own.items()}
        error = self._losses(x0, noise, codes).mean()
        return Loss(error, {"denoising": error})

    def _losses(self, x0: Tensor, noise: Tensor | None, codes: Mapping[str, Tensor]) -> Tensor:
        schedule = self.schedule
        gradient = None
        if isinstance(schedule, LearnedSchedule):
            # The bound does not depend on the way between its ends: the schedule learns from its variance.
            schedule = gradient = VarianceGradient(schedule)
        parametrised = Parametrised(schedule, self.config.prediction, sigma_data=self.config.sigma_data)
        objective = DenoisingObjective(
            GaussianProcess(schedule),
            parametrised.prediction,
            weighting=parametrised.weighting(self.config.weighting),
            times=self.config.times,
            sigma_data=self.config.sigma_data,
        )
        losses = objective(parametrised(self.network, codes), x0, noise=noise)
        if gradient is not None:
            gradient.learn_from(losses)
        return losses

    def denoiser(self, codes: Mapping[str, Tensor] | None = None) -> Denoiser:
        """Return the function from noisy samples and time to the estimated data, under this condition."""
        return self.parametrised.denoiser(self.network, codes)

    @torch.no_grad()
    def sample(
        self,
        n: int,
        condition: Condition | None = None,
        *,
        generator: torch.Generator | None = None,
        sampler: str = "dpm++2m",
        n_steps: int = 20,
        spacing: Spacing = "log_snr",
        guidance_scale: float = 1.0,
        guidance_interval: tuple[float, float] | None = None,
        guidance_rescale: float = 0.0,
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
            ``dpm++2m`` (20 steps), ``ddim`` (50 or more), ``ddpm`` (hundreds) or another of
            `genailab.generative.diffusion.samplers.SAMPLERS`, with steps even in log-SNR, time or as EDM's.
        guidance_scale
            1 samples the condition as learned, more sharpens it.
        guidance_interval, guidance_rescale
            Times between which to guide, and how much of the spread to bring back; see
            `genailab.generative.diffusion.classifier_free`.

        Raises
        ------
        InputError
            If ``n`` is below 1, the condition is unknown, guidance is asked for without one, or what is asked
            for needs the unconditional model and ``drop_condition`` is 0, so that it was never trained.
        """
        device = next(self.parameters()).device
        codes = asked_codes(
            n,
            condition,
            self.config.conditions,
            guidance_scale=guidance_scale,
            drop_condition=self.config.drop_condition,
            device=device,
        )
        run = get_sampler(sampler)
        denoiser = self.denoiser()
        if codes is not None:
            denoiser = classifier_free(
                self.denoiser(codes),
                denoiser,
                guidance_scale,
                interval=guidance_interval,
                rescale=guidance_rescale,
            )
        x = self._noise(n, generator, device)
        times = time_grid(n_steps, self.schedule, spacing=spacing).to(device)
        with evaluating(self):
            return run(denoiser, x, times, self.schedule, generator=generator)

    def _noise(self, n: int, generator: torch.Generator | None, device: torch.device) -> Tensor:
        """Return where sampling starts, ``(n, n_dims)``: samples of what data have become at t = 1."""
        noise = torch.randn(n, self.config.n_dims, generator=generator, device=device)
        if isinstance(self.schedule, VariancePreserving):
            return noise  # data of unit variance have it still
        return self.schedule.sigma(torch.ones((), device=device)) * noise
