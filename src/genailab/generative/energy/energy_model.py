"""An energy-based model of vectors: a Gaussian reference, tilted by a network.

    p(x | c) = N(x; center, scale^2) exp(-f(x, c)) / Z(c),    E(x, c) = f(x, c) - log N(x; center, scale^2)

(exponential tilting: Xie et al. 2016, "A theory of generative ConvNet"). The reference keeps the
density normalisable, gives chains a place to start from, and is the noise of noise-contrastive estimation and
the base of annealed importance sampling. f is learned by contrastive divergence (``cd``), denoising score
matching over many noise levels (``dsm``) or noise-contrastive estimation (``nce``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

from genailab.errors import InputError
from genailab.generative.energy.conditions import condition_groups, n_condition_groups
from genailab.generative.energy.contrastive_divergence import contrastive_divergence
from genailab.generative.energy.denoising_score_matching import energy_denoising_score_matching
from genailab.generative.energy.energies import energy_and_score, score_of
from genailab.generative.energy.hmc import hmc
from genailab.generative.energy.langevin import annealed_langevin, mala, noise_levels, ula
from genailab.generative.energy.networks import VectorEnergy
from genailab.generative.energy.noise_contrastive import noise_contrastive
from genailab.generative.energy.partition import LogPartition, annealed_importance_sampling, hmc_transition
from genailab.generative.energy.persistent_chains import PersistentChains, chains_to_begin_at
from genailab.generative.vectors import check_vectors, checked_vectors
from genailab.nn.checks import check_at_least_one, check_choice
from genailab.nn.conditioning import Condition, batch_codes, encode_condition
from genailab.nn.model import Batch, Loss, Model, evaluating

__all__ = ["EnergyModel", "EnergyModelConfig"]

ChainSampler = Literal["ula", "mala", "hmc"]
LEAPFROG = 10  # steps of a proposal of HMC


@dataclass(frozen=True, kw_only=True)
class EnergyModelConfig:
    """Size and meaning of an EnergyModel. Steps and noise levels are in units of the data's ``scale``."""

    n_dims: int
    conditions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # category names by covariate
    objective: Literal["cd", "dsm", "nce"] = "cd"
    width: int = 128
    depth: int = 3
    spectral_norm: bool = False
    # Contrastive divergence
    chains: Literal["persistent", "data"] = "persistent"  # where chains start: PCD, or CD-k
    n_chains: int = 1024
    chain_steps: int = 20  # a batch
    chain_sampler: ChainSampler = "mala"
    step_size: float = 0.02  # of Langevin; below twice the variance of the narrowest cluster
    restart: float = 0.05  # share of the chains that start anew from the reference
    regularisation: float = 1e-3  # weight of the squared energies
    # Denoising score matching: the widest noise joins all modes, the narrowest is left in the model
    sigma_max: float = 3.0
    sigma_min: float = 0.05
    n_levels: int = 15
    # Noise-contrastive estimation
    noise_ratio: int = 4  # draws of the reference for each row of data

    def __post_init__(self) -> None:
        check_at_least_one(
            self, "n_dims", "width", "depth", "n_chains", "chain_steps", "n_levels", "noise_ratio"
        )
        check_choice(self, "objective", ("cd", "dsm", "nce"))
        check_choice(self, "chains", ("persistent", "data"))
        check_choice(self, "chain_sampler", ("ula", "mala", "hmc"))
        if not self.step_size > 0:
            raise InputError(f"step_size is {self.step_size}: it must be positive, for example 0.02")
        if not 0 <= self.restart <= 1:
            raise InputError(f"restart is {self.restart}: it is a share, in [0, 1]")
        if not self.regularisation >= 0:
            raise InputError(f"regularisation is {self.regularisation}: it must not be negative")
        noise_levels(self.sigma_max, self.sigma_min, self.n_levels)


class EnergyModel(Model):
    """A density known up to its normaliser; see the module for the model.

    Batches hold ``x``, floats ``(batch, n_dims)``, and the codes ``(batch,)`` of each condition by name. Call
    `start_from` before training unless the data are standardised. The loss of ``cd`` is no likelihood and
    hovers about 0: train for a number of steps, not for patience.

    Examples
    --------
    >>> model = EnergyModel(EnergyModelConfig(n_dims=2, conditions={"cell_type": ("B", "NK")}))
    >>> model.sample(3, {"cell_type": "NK"}, generator=torch.Generator().manual_seed(0)).shape
    torch.Size([3, 2])
    """

    config_class = EnergyModelConfig
    config: EnergyModelConfig
    center: Tensor
    scale: Tensor

    def __init__(self, config: EnergyModelConfig) -> None:
        super().__init__()
        self.config = c = config
        n_groups = n_condition_groups(c.conditions)
        self.network = VectorEnergy(
            c.n_dims,
            c.conditions,
            width=c.width,
            depth=c.depth,
            noisy=c.objective == "dsm",
            spectral_norm=c.spectral_norm,
        )
        self.register_buffer("center", torch.zeros(c.n_dims))
        self.register_buffer("scale", torch.ones(c.n_dims))
        # Of each combination of conditions; only nce learns it.
        self.log_normaliser = nn.Parameter(torch.zeros(n_groups), requires_grad=c.objective == "nce")
        self.chains = None
        if c.objective == "cd" and c.chains == "persistent":
            self.chains = PersistentChains(torch.randn(c.n_chains, c.n_dims), n_groups=n_groups)

    @torch.no_grad()
    def start_from(self, x: Tensor) -> None:
        """Take the reference's mean and standard deviation from training data ``(rows, n_dims)``."""
        check_vectors(x, self.config.n_dims)
        if len(x) < 2:
            raise InputError(f"a reference cannot be taken from {len(x)} rows: give at least 2")
        spread = x.std(dim=0)
        self.center.copy_(x.mean(dim=0))
        # A dimension in which no row differs has nothing to be scaled by.
        self.scale.copy_(torch.where(spread > 0, spread, 1.0))

    # --- densities ---------------------------------------------------------------------------------------

    def energy(self, x: Tensor, codes: Mapping[str, Tensor] | None = None) -> Tensor:
        """Return the energies ``(batch,)`` in nats of ``x`` ``(batch, n_dims)``, differentiable in ``x``.

        ``codes`` are the conditions', ``(batch,)`` each. With ``dsm`` they are those of the data blurred by
        the last noise level.
        """
        check_vectors(x, self.config.n_dims)
        return self._energy((x - self.center) / self.scale, codes) + self.scale.log().sum()

    def log_prob(self, x: Tensor, codes: Mapping[str, Tensor] | None = None) -> Tensor:
        """Return the log-density ``(batch,)``: up to a constant of the condition, which ``nce`` learns.

        `log_partition` estimates the constant.
        """
        groups = condition_groups(codes or {}, self.config.conditions, x)
        return -self.energy(x, codes) - self.log_normaliser[groups]

    def _energy(self, z: Tensor, codes: Mapping[str, Tensor] | None, sigma: Tensor | None = None) -> Tensor:
        """Return the energies ``(batch,)`` of standardised rows."""
        if self.config.objective != "dsm":
            return self.network(z, codes) - _reference_log_prob(z)
        if sigma is None:
            sigma = torch.full_like(z[:, 0], self.config.sigma_min)
        # Blurred, the reference is N(0, 1 + sigma^2); scores grow as 1 / sigma where noise is all there is.
        spread = (1 + sigma.square()).sqrt()
        standardised = z / spread[:, None]
        tilt = self.network(standardised, codes, sigma.log()) / sigma
        return tilt - _reference_log_prob(standardised) + self.config.n_dims * spread.log()

    def log_partition(
        self,
        condition: Condition | None = None,
        *,
        n_walks: int = 256,
        n_temperatures: int = 200,
        generator: torch.Generator | None = None,
    ) -> LogPartition:
        """Estimate ``log Z`` of `energy` under one condition by annealed importance sampling.

        Names in ``condition`` are single, one for each covariate; the walks go from the reference to the
        model.
        """
        codes = self._encoded(condition, n_walks)
        z = self._noise(n_walks, generator)
        with evaluating(self):
            return annealed_importance_sampling(
                lambda z: self._energy(z, codes),
                lambda z: -_reference_log_prob(z),
                z,
                transition=hmc_transition(step_size=math.sqrt(2 * self.config.step_size), n_leapfrog=5),
                n_temperatures=n_temperatures,
                generator=generator,
            )

    # --- training ----------------------------------------------------------------------------------------

    def loss(self, batch: Batch) -> Loss:
        """Return the loss of the objective, averaged over the batch.

        Raises
        ------
        InputError
            If ``x`` or a condition's codes are missing or of another shape, or the chains diverge.
        """
        x = checked_vectors(batch, self.config.n_dims)
        codes = batch_codes(batch, self.config.conditions, n_rows=len(x))
        z = (x - self.center) / self.scale
        if self.config.objective == "dsm":
            return self._dsm_loss(z, codes)
        return self._nce_loss(z, codes) if self.config.objective == "nce" else self._cd_loss(z, codes)

    def _dsm_loss(self, z: Tensor, codes: Mapping[str, Tensor]) -> Loss:
        levels = z.new_tensor(self._levels)
        sigma = levels[torch.randint(len(levels), (len(z),), device=z.device)]
        losses = energy_denoising_score_matching(lambda z, sigma: self._energy(z, codes, sigma), z, sigma)
        return Loss(losses.mean())

    def _nce_loss(self, z: Tensor, codes: Mapping[str, Tensor]) -> Loss:
        ratio = self.config.noise_ratio
        noise = torch.randn(len(z) * ratio, self.config.n_dims, device=z.device)
        repeated = {key: values.repeat(ratio) for key, values in codes.items()}

        def log_ratio(z: Tensor, codes: Mapping[str, Tensor]) -> Tensor:  # of the model to the reference
            groups = condition_groups(codes, self.config.conditions, z)
            return -self.network(z, codes) - self.log_normaliser[groups]

        return noise_contrastive(log_ratio(z, codes), log_ratio(noise, repeated))

    def _cd_loss(self, z: Tensor, codes: Mapping[str, Tensor]) -> Loss:
        slots, start = None, z
        if self.chains is not None:
            slots = self.chains.slots(condition_groups(codes, self.config.conditions, z))
            start = self.chains.start(slots, torch.randn_like(z), restart=self.config.restart)
        with evaluating(self):
            ends = self._walk(start, codes, n_steps=self.config.chain_steps)
        if self.chains is not None and slots is not None and self.training:
            self.chains.store(slots, ends)
        return contrastive_divergence(
            self._energy(z, codes), self._energy(ends, codes), regularisation=self.config.regularisation
        )

    # --- generation --------------------------------------------------------------------------------------

    @torch.no_grad()
    def sample(
        self,
        n: int,
        condition: Condition | None = None,
        *,
        generator: torch.Generator | None = None,
        sampler: Literal["ula", "mala", "hmc", "annealed"] | None = None,
        n_steps: int | None = None,
        step_size: float | None = None,
        start: Literal["chains", "noise"] | None = None,
    ) -> Tensor:
        """Generate vectors, ``(n, n_dims)``.

        Parameters
        ----------
        n
            How many.
        condition
            For each covariate one name, ``n`` names, or codes ``(n,)``.
        generator
            Source of randomness.
        sampler
            ``annealed`` for ``dsm``, the only objective that learns its noise levels, and ``mala`` for the
            others, where it isn't given.
        n_steps
            Steps of each chain, 500 where it isn't given; of ``annealed`` at each level, 20.
        step_size
            In units of the data's scale; the configuration's where it isn't given, a tenth of the last
            level's variance for ``annealed``.
        start
            From the ``chains`` of training, the default where there are any, or from ``noise``.

        Raises
        ------
        InputError
            If ``n`` is below 1, the condition is incomplete or unknown, a setting doesn't go with the
            objective, or the chains diverge.
        """
        codes = self._encoded(condition, n)
        name = sampler or ("annealed" if self.config.objective == "dsm" else "mala")
        z = self._starts(n, codes, start, generator)
        with evaluating(self):
            if name == "annealed":
                z = self._anneal(z, codes, n_steps=n_steps, step_size=step_size, generator=generator)
            else:
                n_steps = 500 if n_steps is None else n_steps
                z = self._walk(
                    z, codes, sampler=name, n_steps=n_steps, step_size=step_size, generator=generator
                )
        return self.center + self.scale * z

    def _walk(
        self,
        z: Tensor,
        codes: Mapping[str, Tensor],
        *,
        n_steps: int,
        sampler: str | None = None,
        step_size: float | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        name, h = sampler or self.config.chain_sampler, step_size or self.config.step_size

        def energy(z: Tensor) -> Tensor:
            return self._energy(z, codes)

        if name == "ula":
            return ula(score_of(energy), z, step_size=h, n_steps=n_steps, generator=generator)
        if name == "mala":
            return mala(energy, z, step_size=h, n_steps=n_steps, generator=generator).states
        if name != "hmc":
            raise InputError(f"sampler is {name!r}: choose ula, mala, hmc or annealed")
        # A leapfrog step of length e moves as far by the gradient as a Langevin step of h = e^2 / 2.
        n_proposals = math.ceil(n_steps / LEAPFROG)
        return hmc(
            energy,
            z,
            step_size=math.sqrt(2 * h),
            n_steps=n_proposals,
            n_leapfrog=LEAPFROG,
            generator=generator,
        ).states

    def _anneal(
        self,
        z: Tensor,
        codes: Mapping[str, Tensor],
        *,
        n_steps: int | None,
        step_size: float | None,
        generator: torch.Generator | None,
    ) -> Tensor:
        if self.config.objective != "dsm":
            raise InputError(
                f"sampler 'annealed' needs noise levels, which objective={self.config.objective!r} doesn't "
                "learn: choose ula, mala or hmc, or train with objective='dsm'"
            )

        def score(z: Tensor, sigma: float) -> Tensor:
            level = torch.full_like(z[:, 0], sigma)
            return energy_and_score(lambda z: self._energy(z, codes, level), z)[1]

        return annealed_langevin(
            score,
            z * math.sqrt(1 + self.config.sigma_max**2),
            self._levels,
            step_size=step_size or 0.1 * self.config.sigma_min**2,
            n_steps=20 if n_steps is None else n_steps,
            denoise=True,
            generator=generator,
        )

    def _starts(
        self, n: int, codes: Mapping[str, Tensor], start: str | None, generator: torch.Generator | None
    ) -> Tensor:
        chains = chains_to_begin_at(self.chains, start)
        if chains is None:
            return self._noise(n, generator)
        groups = condition_groups(codes, self.config.conditions, torch.empty(n, device=self.center.device))
        return chains.states[chains.slots(groups, generator=generator)]

    # --- borders -----------------------------------------------------------------------------------------

    @property
    def _levels(self) -> tuple[float, ...]:
        return noise_levels(self.config.sigma_max, self.config.sigma_min, self.config.n_levels)

    def _noise(self, n: int, generator: torch.Generator | None) -> Tensor:
        return torch.randn(n, self.config.n_dims, generator=generator, device=self.center.device)

    def _encoded(self, condition: Condition | None, n: int) -> dict[str, Tensor]:
        return encode_condition(condition, self.config.conditions, n, device=self.center.device)


def _reference_log_prob(z: Tensor) -> Tensor:
    """Return ``log N(z; 0, I)`` of each row, ``(batch,)``."""
    return -0.5 * (z.square() + math.log(2 * math.pi)).sum(dim=1)
