"""A GAN of DNA, RNA or protein sequences of one length.

    z ~ N(0, I)                           noise                                (batch, n_latent)
    logits = generator(z, conditions)     residual convolutions                (batch, size, length)
    x ~ softmax(logits)                   one letter a position                (batch, size, length)
    score = critic(x, conditions)         residual convolutions, projection    (batch,)

Letters are drawn by Gumbel-softmax, straight-through (Jang et al. 2017): the critic sees one-hot sequences
from both sides, the gradient is the soft letters'. Networks: Gulrajani et al. 2017; for DNA Killoran et al.
2017, "Generating and designing DNA with deep generative models".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from genailab.data.sequences.alphabet import ALPHABETS
from genailab.errors import InputError
from genailab.generative.gan.adversarial import AdversarialConfig, AdversarialModel
from genailab.generative.gan.sequence_networks import SequenceCritic, SequenceGenerator
from genailab.generative.gan.straight_through import gumbel_softmax
from genailab.nn.checks import check_alphabet, check_at_least_one, check_odd, one_hot_of
from genailab.nn.conditioning import Condition, encode_condition
from genailab.nn.model import Batch, evaluating

__all__ = ["SequenceGAN", "SequenceGANConfig"]


@dataclass(frozen=True, kw_only=True)
class SequenceGANConfig(AdversarialConfig):
    """Size, meaning and rules of a SequenceGAN."""

    length: int
    alphabet: str = "DNA"
    n_channels: int = 64
    kernel: int = 5
    temperature: float = 1.0  # of the Gumbel-softmax: lower is nearer to letters, with a noisier gradient
    straight_through: bool = True  # else the critic sees soft letters, which it can tell from real ones

    def __post_init__(self) -> None:
        super().__post_init__()
        check_alphabet(self)
        check_at_least_one(self, "length", "n_channels")
        check_odd(self, "kernel")
        if not self.temperature > 0:
            raise InputError(f"temperature is {self.temperature}: it must be above 0, for example 1.0")


class SequenceGAN(AdversarialModel):
    """Generator and critic of sequences; see the module for the model.

    Batches hold ``codes``, uint8 ``(batch, length)`` of letters alone, and the codes ``(batch,)`` of each
    condition by name.
    """

    config_class = SequenceGANConfig
    config: SequenceGANConfig

    def __init__(self, config: SequenceGANConfig) -> None:
        super().__init__()
        self.config = c = config
        size = ALPHABETS[c.alphabet].size
        self.generator = SequenceGenerator(
            c.n_latent,
            c.conditions,
            size=size,
            length=c.length,
            n_channels=c.n_channels,
            depth=c.depth,
            kernel=c.kernel,
        )
        self.critic = SequenceCritic(
            c.conditions,
            size=size,
            length=c.length,
            n_channels=c.n_channels,
            depth=c.depth,
            kernel=c.kernel,
            width=c.width,
        )
        self._start()

    def real(self, batch: Batch) -> Tensor:
        """Return one-hot sequences, ``(batch, size, length)``; N and its like are refused."""
        c = self.config
        return one_hot_of(batch, alphabet=c.alphabet, window=c.length, unknown="error")

    def draw(
        self, n: int, codes: Mapping[str, Tensor], *, generator: torch.Generator | None = None
    ) -> Tensor:
        """Return generated sequences, ``(n, size, length)``: one-hot, or soft without straight-through."""
        logits = self.generator(self._noise(n, generator), codes)
        c = self.config
        return gumbel_softmax(logits, temperature=c.temperature, hard=c.straight_through, generator=generator)

    @torch.no_grad()
    def sample(
        self, n: int, condition: Condition | None = None, *, generator: torch.Generator | None = None
    ) -> Tensor:
        """Generate sequences as codes, uint8 ``(n, length)``: each letter a draw from its probabilities.

        Parameters
        ----------
        n
            How many.
        condition
            For each covariate one name, ``n`` names, or codes ``(n,)``.
        generator
            Source of randomness.

        Raises
        ------
        InputError
            If ``n`` is below 1, or the condition is incomplete or unknown.
        """
        codes = encode_condition(condition, self.config.conditions, n, device=self.steps.device)
        with evaluating(self):
            # The largest of a soft draw is the letter drawn, whatever the temperature.
            return self.draw(n, codes, generator=generator).argmax(dim=1).to(torch.uint8)  # (n, length)
