"""Gaussian diffusion of sequences, written as analog bits.

Each letter is two numbers of -1 or 1 (five for proteins), so that DNA is data like any other: every schedule,
prediction, sampler and guidance of continuous diffusion holds. The generated numbers are rounded to letters.
The network may be shown its own estimate of a step before ("self-conditioning"): in training, for half of the
samples, a first estimate that it makes without one. Chen, Zhang & Hinton 2022, "Analog Bits: Generating
Discrete Data using Diffusion Models with Self-Conditioning", algorithms 1 and 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from genailab.data.sequences.alphabet import ALPHABETS
from genailab.errors import InputError
from genailab.generative.diffusion.asked import asked_codes
from genailab.generative.diffusion.bits import from_bits, n_bits, to_bits
from genailab.generative.diffusion.clamping import clamped
from genailab.generative.diffusion.guidance import classifier_free
from genailab.generative.diffusion.networks import (
    SEQUENCE_NETWORKS,
    SequenceNetworkName,
    make_sequence_network,
)
from genailab.generative.diffusion.objective import DenoisingObjective
from genailab.generative.diffusion.parametrised import PARAMETRISATIONS, Parametrisation, Parametrised
from genailab.generative.diffusion.process import GaussianProcess
from genailab.generative.diffusion.samplers import Spacing, get_sampler, time_grid
from genailab.generative.diffusion.schedules import make_schedule
from genailab.generative.diffusion.self_conditioning import first_guess, self_conditioning
from genailab.generative.diffusion.weighting import WEIGHTINGS, Weighting
from genailab.generative.letters import checked_letters
from genailab.nn.checks import check_alphabet, check_at_least_one, check_choice, check_share
from genailab.nn.conditioning import Condition, batch_codes
from genailab.nn.model import Batch, Loss, Model, evaluating

__all__ = ["AnalogBitsDiffusion", "AnalogBitsDiffusionConfig"]


@dataclass(frozen=True, kw_only=True)
class AnalogBitsDiffusionConfig:
    """Size and meaning of an AnalogBitsDiffusion."""

    length: int
    alphabet: str = "DNA"
    conditions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # category names by covariate
    network: SequenceNetworkName = "unet"  # or transformer: every letter then sees every other
    schedule: str = "cosine"
    prediction: Parametrisation = "x0"  # as in the paper's algorithm 1
    weighting: Weighting = "simple"
    width: int = 64
    depth: int = 2  # halvings of a U-Net, blocks of a transformer
    n_heads: int = 4  # of a transformer
    dropout: float = 0.0
    drop_condition: float = 0.1  # share of training samples whose condition is hidden, for guidance
    self_conditioning: bool = True

    def __post_init__(self) -> None:
        check_alphabet(self)
        check_at_least_one(self, "length", "width", "depth", "n_heads")
        check_share(self, "dropout", "drop_condition")
        check_choice(self, "network", SEQUENCE_NETWORKS)
        check_choice(self, "prediction", PARAMETRISATIONS)
        check_choice(self, "weighting", WEIGHTINGS)
        make_schedule(self.schedule)
        if self.schedule == "learned":
            raise InputError(
                "schedule is 'learned', which needs data whose likelihood is a density: use cosine"
            )


class AnalogBitsDiffusion(Model):
    """Learns to undo Gaussian noise on the bits of ``codes``, uint8 ``(batch, length)``.

    Batches hold the codes of letters and, of each condition, its codes ``(batch,)``. Letters that stand for
    several are refused.
    """

    config_class = AnalogBitsDiffusionConfig
    config: AnalogBitsDiffusionConfig

    def __init__(self, config: AnalogBitsDiffusionConfig) -> None:
        super().__init__()
        self.config = c = config
        self.alphabet = ALPHABETS[c.alphabet]
        self.n_bits = n_bits(self.alphabet)
        self.schedule = make_schedule(c.schedule)
        self.parametrised = Parametrised(self.schedule, c.prediction)  # bits have the variance 1
        self.objective = DenoisingObjective(
            GaussianProcess(self.schedule),
            self.parametrised.prediction,
            weighting=self.parametrised.weighting(c.weighting),
        )
        self.network = make_sequence_network(
            c.network,
            self.n_bits * (1 + c.self_conditioning),
            self.n_bits,
            c.conditions,
            width=c.width,
            depth=c.depth,
            n_heads=c.n_heads,
            dropout=c.dropout,
        )

    def loss(self, batch: Batch) -> Loss:
        """Return the denoising loss of the sequences' bits, averaged over the batch.

        InputError where the batch lacks ``codes`` or a condition, the sequences are not ``length`` long, or a
        code is no single letter.
        """
        letters = checked_letters(batch, self.alphabet, length=self.config.length)
        bits = to_bits(letters, alphabet=self.alphabet)  # (batch, n_bits, length)
        codes = batch_codes(batch, self.config.conditions, n_rows=len(bits))
        if self.training and self.config.conditions:
            codes = self.network.drop(codes, self.config.drop_condition)

        def predict(x: Tensor, t: Tensor) -> Tensor:
            shown = torch.zeros_like(x)
            if self.config.self_conditioning:
                shown = first_guess(lambda x, t, last: self.estimate(x, t, last, codes), x, t)
            return self.parametrised(self._beside(shown), codes)(x, t)

        error = self.objective(predict, bits).mean()
        return Loss(error, {"denoising": error})

    def estimate(
        self, x: Tensor, t: Tensor, last: Tensor, codes: Mapping[str, Tensor] | None = None
    ) -> Tensor:
        """Return the bits that noisy ones, ``(batch, n_bits, length)``, were, as far as is known at time t.

        ``last`` is an estimate made before, zeros for none; ``codes`` are those of the condition. A network
        without self-conditioning does not look at it.
        """
        return clamped(self.parametrised.denoiser(self._beside(last), codes), -1, 1)(x, t)

    def _beside(self, last: Tensor) -> Callable[[Tensor, Tensor, Mapping[str, Tensor] | None], Tensor]:
        """Return the network with an earlier estimate beside its input."""
        if not self.config.self_conditioning:
            return self.network
        return lambda x, t, codes: self.network(torch.cat([x, last], dim=1), t, codes)

    @torch.no_grad()
    def sample(
        self,
        n: int,
        condition: Condition | None = None,
        *,
        generator: torch.Generator | None = None,
        sampler: str = "dpm++2m",
        n_steps: int = 50,
        spacing: Spacing = "time",
        guidance_scale: float = 1.0,
    ) -> Tensor:
        """Generate codes of letters, uint8 ``(n, length)``.

        Parameters
        ----------
        n
            How many sequences.
        condition
            For each covariate one name, ``n`` names or codes ``(n,)``; None samples the unconditional model.
        generator
            Source of randomness.
        sampler, n_steps, spacing
            A key of `SAMPLERS`, and its steps in time (see `time_grid`).
        guidance_scale
            1 samples the condition as learned, more sharpens it.

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
        run = self_conditioning(get_sampler(sampler))
        times = time_grid(n_steps, self.schedule, spacing=spacing).to(device)
        noise = torch.randn(n, self.n_bits, self.config.length, generator=generator, device=device)

        def estimate(x: Tensor, t: Tensor, last: Tensor) -> Tensor:
            def unconditional(x: Tensor, t: Tensor) -> Tensor:
                return self.estimate(x, t, last)

            if codes is None:
                return unconditional(x, t)
            guided = classifier_free(
                lambda x, t: self.estimate(x, t, last, codes), unconditional, guidance_scale
            )
            # A scale above 1 points beyond the bits, where no sequence lies.
            return clamped(guided, -1, 1)(x, t)

        with evaluating(self):
            bits = run(
                estimate, self.schedule.sigma(times[0]) * noise, times, self.schedule, generator=generator
            )
        return from_bits(bits, alphabet=self.alphabet)  # (n, length)
