"""Every family as the prior over a CountVAE's latents: one word changes it.

    diffusion        v-prediction, cosine schedule              Ho et al. 2020; Salimans & Ho 2022
    score            variance-exploding score model             Song et al. 2021
    edm              EDM's schedule and preconditioning         Karras et al. 2022
    flow_matching    straight paths, optimal-transport pairs    Lipman et al. 2023; Cheng & Schwing 2025
    gan              generator and critic, R1                   Mescheder et al. 2018
    energy           energies by denoising score matching       Song & Ermon 2019; Salimans & Ho 2021
    vae              a second VAE over the first one's          Dai & Wipf 2019

Space, training data and decoder are the same for all (`genailab.generative.latent_cells`), so what differs
between their cells is the family's doing.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import torch
from torch import Tensor

from genailab.configuration import build
from genailab.errors import InputError, nearest
from genailab.generative.diffusion.gaussian import GaussianDiffusion
from genailab.generative.energy.energy_model import EnergyModel
from genailab.generative.gan.vector_gan import VectorGAN
from genailab.generative.latent_cells import Cells, LatentModel
from genailab.generative.vae.count_vae import CountVAE, CountVAEConfig
from genailab.generative.vae.vae import VAE
from genailab.nn.conditioning import Categories, Condition
from genailab.nn.model import Model

__all__ = ["PRIORS", "LatentGenerator", "LatentGeneratorConfig", "Prior"]


@dataclass(frozen=True, kw_only=True)
class Prior:
    """A family: its model, the settings that make it that family, and how its samples are drawn."""

    model: type[Model]
    settings: Mapping[str, Any] = field(default_factory=dict)
    sampling: Mapping[str, Any] = field(default_factory=dict)


PRIORS: dict[str, Prior] = {
    "diffusion": Prior(model=GaussianDiffusion),
    "score": Prior(
        model=GaussianDiffusion,
        settings={"schedule": "ve", "prediction": "score"},
        # An error of the score is multiplied by the variance, which is huge at first: only a sampler that
        # adds fresh noise forgets it.
        sampling={"sampler": "ddpm", "n_steps": 200},
    ),
    "edm": Prior(
        model=GaussianDiffusion,
        settings={"schedule": "edm", "prediction": "edm", "times": "edm"},
    ),
    "flow_matching": Prior(
        model=GaussianDiffusion,
        settings={
            "schedule": "cond_ot",
            "prediction": "velocity",
            "times": "uniform",
            "coupling": "condition_aware",
        },
        sampling={"sampler": "heun", "spacing": "time"},
    ),
    "gan": Prior(model=VectorGAN),
    "energy": Prior(model=EnergyModel, settings={"objective": "dsm"}),
    "vae": Prior(model=VAE),
}


@dataclass(frozen=True, kw_only=True)
class LatentGeneratorConfig:
    """The VAE, the family of the prior and the prior's settings."""

    vae: CountVAEConfig
    prior: str = "diffusion"  # a key of PRIORS
    conditions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # category names by covariate
    settings: Mapping[str, Any] = field(default_factory=dict)  # of the prior's own configuration
    split_hash: str = ""  # of the split whose training cells the weights have seen

    def __post_init__(self) -> None:
        if self.prior not in PRIORS:
            raise InputError(f"there is no prior {self.prior!r}: {nearest(self.prior, PRIORS)}")
        for name in ("n_dims", "conditions"):
            if name in self.settings:
                raise InputError(f"{name!r} is no setting: it follows from the VAE and the conditions")
        # All of them, so that a later version's defaults can't change what saved weights mean.
        every = asdict(self.prior_config())
        del every["n_dims"], every["conditions"]
        object.__setattr__(self, "settings", every)

    def prior_config(self) -> Any:
        """Return the configuration of the prior's model, an instance of its ``config_class``."""
        prior = PRIORS[self.prior]
        dims = {"n_dims": self.vae.n_latent + 1, "conditions": self.conditions}
        return build(prior.model.config_class, {**prior.settings, **self.settings, **dims})


class LatentGenerator(LatentModel):
    """A conditional generator of cells: a prior of any family draws, the VAE decodes.

    Train it with `training.fit` on `LatentCells` (made by `encode`), not on counts: the VAE stays as it is.

    Examples
    --------
    >>> from genailab.data.rows import TensorRows
    >>> counts = torch.arange(1.0, 13.0).reshape(4, 3)
    >>> rows = TensorRows(counts=counts, library_size=counts.sum(dim=1), type=torch.tensor([0, 1, 0, 1]))
    >>> vae = CountVAE(CountVAEConfig(genes=("CD3D", "CD19", "NKG7"), n_latent=2))
    >>> for prior in ("diffusion", "flow_matching", "gan", "energy"):
    ...     model = LatentGenerator.around(vae, {"type": ("B", "NK")}, rows, prior=prior, width=8, depth=1)
    ...     print(prior, tuple(model.sample(5, {"type": "NK"}).shape))
    diffusion (5, 3)
    flow_matching (5, 3)
    gan (5, 3)
    energy (5, 3)
    """

    config_class = LatentGeneratorConfig
    config: LatentGeneratorConfig

    def __init__(self, config: LatentGeneratorConfig) -> None:
        super().__init__(config.vae)
        self.config = config
        self.family = PRIORS[config.prior].model(config.prior_config())

    @property
    def prior(self) -> Model:
        """The model of the latents, of the family that the configuration names."""
        return self.family

    @classmethod
    def around(
        cls,
        vae: CountVAE,
        conditions: Categories,
        train: Cells,
        *,
        prior: str = "diffusion",
        **settings: Any,
    ) -> Self:
        """Return an untrained prior on top of a trained VAE, standardised on the training cells.

        Parameters
        ----------
        vae
            Trained CountVAE; copied.
        conditions
            Category names of each covariate the prior shall be told.
        train
            Training cells, whose latents fix the scale.
        prior
            Family: a key of ``PRIORS``.
        settings
            Of the family's own configuration (`GaussianDiffusionConfig`, `VectorGANConfig`,
            `EnergyModelConfig`, `VAEConfig`): width, depth, ...

        Raises
        ------
        InputError
            If there are fewer than two training cells, the family is unknown, or a setting is unknown or
            can't be right.
        """
        config = LatentGeneratorConfig(
            vae=vae.config,
            prior=prior,
            conditions=conditions,
            settings=settings,
            split_hash=vae.config.split_hash,
        )
        return cls(config).standardise(vae, train)

    @torch.no_grad()
    def sample(
        self,
        n: int,
        condition: Condition | None = None,
        *,
        generator: torch.Generator | None = None,
        **options: Any,
    ) -> Tensor:
        """Generate the counts of new cells, ``(n, n_genes)``.

        Parameters
        ----------
        n
            How many cells.
        condition
            The prior's conditions and the VAE's covariates: for each one name, ``n`` names, or codes
            ``(n,)``.
        generator
            Source of randomness.
        options
            Of the family's own ``sample``: ``sampler``, ``n_steps``, ``guidance_scale``, ...

        Raises
        ------
        InputError
            If ``n`` is below 1, the condition is incomplete or unknown, or the family knows no such option.
        """
        draw: Any = self.prior.sample
        known = [name for name in inspect.signature(draw).parameters if name not in ("n", "condition")]
        for name in options:
            if name not in known:
                raise InputError(
                    f"sampling the prior {self.config.prior!r} has no option {name!r}: {nearest(name, known)}"
                )
        options = {**PRIORS[self.config.prior].sampling, **options}
        x = draw(n, self.asked_of_prior(condition), generator=generator, **options)
        return self.decode(x, condition, generator=generator)
