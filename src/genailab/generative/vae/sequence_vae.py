"""A variational autoencoder of DNA or protein sequences of one length.

    z ~ N(0, I)                                                        (batch, n_latent)
    x_i | x_<i, z, c ~ Categorical      autoregressive decoder         (batch, length)
    x_i | z, c ~ Categorical            convolutional decoder
    loss = -log p(x | z, c) + beta * weight(step) * KL(q(z | x, c) || p(z))          nats a sequence

Bowman et al. 2016, "Generating Sentences from a Continuous Space"; for proteins Riesselman et al. 2018,
"Deep generative models of genetic variation capture the effects of mutations" (convolutional here, where
DeepSequence is dense). An autoregressive decoder tends to ignore z: `kl_weight` holds the remedies,
`collapse` the measures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from genailab.data.sequences.alphabet import ALPHABETS
from genailab.data.sequences.encoding import one_hot
from genailab.errors import InputError
from genailab.generative.letters import checked_letters
from genailab.generative.vae.autoencoder import Autoencoder
from genailab.generative.vae.conditions import MixedOneHot
from genailab.generative.vae.kl_weight import KLSchedule, KLWeight, free_bits_kl
from genailab.generative.vae.posterior import Posterior, to_gaussian
from genailab.generative.vae.sequence_networks import (
    AutoregressiveDecoder,
    ConvolutionalDecoder,
    SequenceEncoder,
)
from genailab.nn.checks import check_alphabet, check_at_least_one, check_choice, check_odd, check_share
from genailab.nn.conditioning import Condition, batch_codes, encode_condition
from genailab.nn.model import Batch, Loss, evaluating

__all__ = ["SequenceVAE", "SequenceVAEConfig"]


@dataclass(frozen=True, kw_only=True)
class SequenceVAEConfig:
    """Size and meaning of a SequenceVAE."""

    length: int
    alphabet: str = "DNA"
    conditions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # category names by covariate
    decoder: Literal["autoregressive", "convolutional"] = "autoregressive"
    n_latent: int = 16
    n_channels: int = 64
    kernel: int = 5
    dilations: tuple[int, ...] = (1, 2, 4)  # one block each, in encoder and decoder
    n_places: int = 8  # stretches that the encoder tells apart
    word_dropout: float = 0.0  # share of the letters hidden from the autoregressive decoder in training
    beta: float = 1.0  # weight of the KL term
    kl_schedule: KLSchedule = field(default_factory=KLSchedule)
    free_bits: float = 0.0  # nats of KL in each latent dimension that cost nothing

    def __post_init__(self) -> None:
        check_alphabet(self)
        check_choice(self, "decoder", ("autoregressive", "convolutional"))
        check_at_least_one(self, "length", "n_latent", "n_channels", "dilations", "n_places")
        check_odd(self, "kernel")
        check_share(self, "word_dropout")
        if not self.dilations:
            raise InputError("dilations is empty: give at least one, for example dilations=(1, 2, 4)")
        for name in ("beta", "free_bits"):
            if not 0 <= getattr(self, name) < math.inf:
                raise InputError(f"{name} is {getattr(self, name)}: it must be a number that is not negative")
        if self.word_dropout > 0 and self.decoder == "convolutional":
            raise InputError(
                f"word_dropout is {self.word_dropout}, but a convolutional decoder sees no letters: set "
                "it to 0, or decoder='autoregressive'"
            )


class SequenceVAE(Autoencoder):
    """Encoder and decoder of sequences; see the module for the model.

    Batches hold ``codes`` uint8 ``(batch, length)``, letters of the alphabet alone, and the codes
    ``(batch,)`` of each condition by name.

    Examples
    --------
    >>> model = SequenceVAE(SequenceVAEConfig(length=20, n_channels=8))
    >>> codes = model.sample(3, generator=torch.Generator().manual_seed(0))
    >>> codes.shape, codes.dtype
    (torch.Size([3, 20]), torch.uint8)
    """

    config_class = SequenceVAEConfig
    config: SequenceVAEConfig

    def __init__(self, config: SequenceVAEConfig) -> None:
        super().__init__()
        self.config = c = config
        self.alphabet = ALPHABETS[c.alphabet]
        self.conditions = MixedOneHot(c.conditions)
        n_told, size = self.conditions.n_features, self.alphabet.size
        n_places = min(c.n_places, c.length)
        self.encoder = SequenceEncoder(
            size, c.n_channels, kernel=c.kernel, dilations=c.dilations, n_places=n_places
        )
        self.to_posterior = nn.Sequential(
            nn.Linear(self.encoder.n_features + n_told, 2 * c.n_channels),
            nn.GELU(),
            nn.Linear(2 * c.n_channels, 2 * c.n_latent),
        )
        shape = (size, c.length, c.n_latent + n_told, c.n_channels)
        self.decoder: AutoregressiveDecoder | ConvolutionalDecoder
        if c.decoder == "autoregressive":
            self.decoder = AutoregressiveDecoder(*shape, kernel=c.kernel, dilations=c.dilations)
        else:
            self.decoder = ConvolutionalDecoder(
                *shape, kernel=c.kernel, dilations=c.dilations, n_places=n_places
            )
        self.kl_weight = KLWeight(c.kl_schedule)

    # --- encoder and decoder -----------------------------------------------------------------------------

    def encode(self, batch: Batch) -> Posterior:
        """Return ``q(z | x, c)`` of each sequence, ``(batch, n_latent)``."""
        codes = self._letters(batch)
        features = self.encoder(one_hot(codes, alphabet=self.alphabet))  # (batch, n_features)
        return Posterior(to_gaussian(self.to_posterior(self._beside(features, batch))))

    def logits(self, batch: Batch, state: Tensor) -> Tensor:
        """Return the logits of every letter, ``(batch, size, length)``.

        Those of an autoregressive decoder at a position depend on the batch's letters before it (teacher
        forcing).
        """
        context = self._beside(state, batch)
        if isinstance(self.decoder, ConvolutionalDecoder):
            return self.decoder(context)
        word_dropout = self.config.word_dropout if self.training else 0.0
        return self.decoder(context, batch["codes"].long(), word_dropout=word_dropout)

    def log_likelihood(self, batch: Batch, state: Tensor) -> Tensor:
        """Return ``log p(x | z, c)`` of each sequence in nats, ``(batch,)``."""
        logits = self.logits(batch, state)
        return -cross_entropy(logits, batch["codes"].long(), reduction="none").sum(dim=1)

    def reconstruct(self, state: Tensor, codes: Mapping[str, Tensor], batch: Batch | None = None) -> Tensor:
        """Return the most probable letter at each position in turn, uint8 ``(batch, length)``."""
        return self.decoder.generate(self._beside(state, codes), temperature=0).to(torch.uint8)

    # --- training and generation -------------------------------------------------------------------------

    def loss(self, batch: Batch) -> Loss:
        """Return the negative evidence lower bound in nats a sequence, its KL term weighted."""
        posterior = self.encode(batch).state
        reconstruction = -self.log_likelihood(batch, posterior.draw()).mean()
        # Free bits change the gradient, not what a model is worth: evaluation counts the plain KL term.
        kl = free_bits_kl(posterior, self.config.free_bits if self.training else 0.0)
        total = reconstruction + self.config.beta * self.kl_weight() * kl
        return Loss(total, {"reconstruction": reconstruction, "kl": posterior.kl().mean()})

    @torch.no_grad()
    def sample(
        self,
        n: int,
        condition: Condition | None = None,
        *,
        state: Tensor | None = None,
        temperature: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Generate sequences, uint8 codes ``(n, length)``.

        Parameters
        ----------
        n
            How many.
        condition
            For each covariate one name, ``n`` names, or codes ``(n,)``.
        state
            What to decode, ``(n, n_latent)``; drawn from the prior where it is not given.
        temperature
            Divides the logits: 1 as learned, less towards the most probable letters, which 0 takes.
        generator
            Source of randomness.

        Raises
        ------
        InputError
            If ``n`` is below 1, the condition is incomplete or unknown, ``state`` has another shape, or the
            temperature is negative.
        """
        if not 0 <= temperature < math.inf:
            raise InputError(f"temperature is {temperature}: it must not be negative, 1 samples as learned")
        device = next(self.parameters()).device
        codes = encode_condition(condition, self.config.conditions, n, device=device)
        context = self._beside(self._states(n, state, generator), codes)
        with evaluating(self):
            letters = self.decoder.generate(context, temperature=temperature, generator=generator)
        return letters.to(torch.uint8)  # (n, length)

    def _letters(self, batch: Batch) -> Tensor:
        codes = checked_letters(batch, self.alphabet, length=self.config.length)
        batch_codes(batch, self.config.conditions, n_rows=len(codes))
        return codes

    def _beside(self, features: Tensor, codes: Mapping[str, Tensor]) -> Tensor:
        told = self.conditions(codes)
        return features if told is None else torch.cat([features, told], dim=1)
