"""A conditional generator of sequences that flows over the simplex of letters.

Trained as a classifier: which letters do noisy compositions come from? The answer, as probabilities, is all
that the flow needs (see `DirichletPath`). Stark et al. 2024, "Dirichlet Flow Matching with Applications to
DNA Sequence Design", section 3. Guidance extrapolates log-probabilities, normalised, as masked diffusion does
it (Schiff et al. 2024), where the paper extrapolates scores.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from genailab.data.sequences.alphabet import ALPHABETS
from genailab.errors import InputError
from genailab.generative.diffusion.asked import asked_codes
from genailab.generative.diffusion.dirichlet import DirichletPath
from genailab.generative.diffusion.discrete.denoisers import LetterDenoiser, guided
from genailab.generative.diffusion.networks import (
    SEQUENCE_NETWORKS,
    SequenceNetworkName,
    make_sequence_network,
)
from genailab.generative.diffusion.objective import low_discrepancy_times
from genailab.generative.letters import checked_letters
from genailab.nn.checks import check_alphabet, check_at_least_one, check_choice, check_share
from genailab.nn.conditioning import Condition, batch_codes
from genailab.nn.model import Batch, Loss, Model, evaluating

__all__ = ["DirichletDiffusion", "DirichletDiffusionConfig"]


@dataclass(frozen=True, kw_only=True)
class DirichletDiffusionConfig:
    """Size and meaning of a DirichletDiffusion."""

    length: int
    alphabet: str = "DNA"
    conditions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # category names by covariate
    network: SequenceNetworkName = "unet"  # or transformer: every letter then sees every other
    max_concentration: float = 8.0  # c of the data's end, where a letter has 9 of 12 parts on average
    width: int = 64
    depth: int = 2  # halvings of a U-Net, blocks of a transformer
    n_heads: int = 4  # of a transformer
    dropout: float = 0.0
    drop_condition: float = 0.1  # share of training samples whose condition is hidden, for guidance

    def __post_init__(self) -> None:
        check_alphabet(self)
        check_at_least_one(self, "length", "width", "depth", "n_heads")
        check_share(self, "dropout", "drop_condition")
        check_choice(self, "network", SEQUENCE_NETWORKS)
        if not 0 < self.max_concentration <= 100:
            raise InputError(
                f"max_concentration is {self.max_concentration}: give more than 0 and at most 100, usually 8"
            )


class DirichletDiffusion(Model):
    """Learns which letters noisy compositions come from; batches hold ``codes``, uint8 ``(batch, length)``.

    Time 0 is data, with the largest concentration, 1 is noise, with none.
    """

    config_class = DirichletDiffusionConfig
    config: DirichletDiffusionConfig

    def __init__(self, config: DirichletDiffusionConfig) -> None:
        super().__init__()
        self.config = c = config
        self.alphabet = ALPHABETS[c.alphabet]
        self.path = DirichletPath(n_letters=self.alphabet.size)
        self.network = make_sequence_network(
            c.network,
            self.alphabet.size,
            self.alphabet.size,
            c.conditions,
            width=c.width,
            depth=c.depth,
            n_heads=c.n_heads,
            dropout=c.dropout,
        )

    def denoiser(self, codes: Mapping[str, Tensor] | None = None) -> LetterDenoiser:
        """Return the function from compositions ``(batch, size, length)`` and time to log-probabilities."""
        # Compositions have the mean 1 / size: the network sees them around 0, of about unit size.
        size = self.alphabet.size
        return lambda x, t: self.network(size * x - 1, t, codes).log_softmax(dim=1)

    def loss(self, batch: Batch) -> Loss:
        """Return the cross-entropy of the letters, nats a letter, averaged over times.

        InputError where the batch lacks ``codes`` or a condition, or a code is no single letter.
        """
        letters = checked_letters(batch, self.alphabet)
        codes = batch_codes(batch, self.config.conditions, n_rows=len(letters))
        if self.training and self.config.conditions:
            codes = self.network.drop(codes, self.config.drop_condition)
        t = low_discrepancy_times(len(letters), device=letters.device)
        x = self.path.noisy(letters, self.config.max_concentration * (1 - t))
        error = cross_entropy(self.denoiser(codes)(x, t), letters.long())
        return Loss(error, {"cross_entropy": error})

    @torch.no_grad()
    def sample(
        self,
        n: int,
        condition: Condition | None = None,
        *,
        generator: torch.Generator | None = None,
        n_steps: int = 100,
        guidance_scale: float = 1.0,
    ) -> Tensor:
        """Generate codes of letters, uint8 ``(n, length)``: the likeliest ones where the flow ends.

        Parameters
        ----------
        n
            How many sequences.
        condition
            For each covariate one name, ``n`` names or codes ``(n,)``; None samples the unconditional model.
        generator
            Source of randomness.
        n_steps
            Euler steps; at least ``max_concentration``.
        guidance_scale
            1 samples the condition as learned, more sharpens it.

        Raises
        ------
        InputError
            If ``n`` is below 1, there are too few steps, the condition is unknown, guidance is asked for
            without one, or what is asked for needs the unconditional model and ``drop_condition`` is 0.
        """
        end = self.config.max_concentration
        if n_steps < max(1, end):
            raise InputError(
                f"asked for {n_steps} steps to the concentration {end}: ask for at least as many"
            )
        denoiser = self._guided(n, condition, guidance_scale)
        device = next(self.parameters()).device
        x = self.path.pure_noise(n, self.config.length, generator=generator, device=device)

        def probabilities(x: Tensor, concentration: float) -> Tensor:
            return denoiser(x, torch.tensor(1 - concentration / end, device=device)).exp()

        with evaluating(self):
            x = self.path.flow(probabilities, x, torch.linspace(0, end, n_steps + 1))
            return probabilities(x, end).argmax(dim=1).to(torch.uint8)  # (n, length)

    def _guided(self, n: int, condition: Condition | None, scale: float) -> LetterDenoiser:
        codes = asked_codes(
            n,
            condition,
            self.config.conditions,
            guidance_scale=scale,
            drop_condition=self.config.drop_condition,
            device=next(self.parameters()).device,
        )
        return self.denoiser() if codes is None else guided(self.denoiser(codes), self.denoiser(), scale)
