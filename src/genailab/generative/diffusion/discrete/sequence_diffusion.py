"""A conditional diffusion of sequences over their letters: masked diffusion, or D3PM.

Process, bound, denoiser and sampler are each in a file of their own and know nothing of this class: it only
holds a network and names the pieces it uses.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from genailab.data.sequences.alphabet import ALPHABETS
from genailab.errors import InputError
from genailab.generative.diffusion.asked import asked_codes, check_unconditional
from genailab.generative.diffusion.discrete.d3pm import d3pm_terms
from genailab.generative.diffusion.discrete.denoisers import (
    LetterDenoiser,
    guided,
    nucleus,
    restricted,
    tempered,
)
from genailab.generative.diffusion.discrete.masked import bound_by_count, bound_in_time
from genailab.generative.diffusion.discrete.process import DiscreteProcess, Noise
from genailab.generative.diffusion.discrete.samplers import ancestral, falling_times, unmask
from genailab.generative.diffusion.networks import SequenceTransformer, UNet1d
from genailab.generative.diffusion.schedules import LogLinearSchedule
from genailab.generative.letters import checked_letters, letters_allowed
from genailab.nn.checks import check_alphabet, check_at_least_one, check_choice, check_share
from genailab.nn.conditioning import Condition, batch_codes
from genailab.nn.model import Batch, Loss, Model, evaluating

__all__ = ["DiscreteDiffusion", "DiscreteDiffusionConfig", "SequenceBound"]


@dataclass(frozen=True, kw_only=True)
class DiscreteDiffusionConfig:
    """Size and meaning of a DiscreteDiffusion."""

    length: int  # of the sequences that `sample` makes unless it is told another
    alphabet: str = "DNA"
    conditions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # category names by covariate
    # masked: absorbing noise in continuous time; absorbing and uniform: D3PM in `timesteps` steps.
    process: Literal["masked", "absorbing", "uniform"] = "masked"
    timesteps: int = 1000  # of D3PM's bound; sampling chooses its own
    auxiliary: float = 0.01  # weight of -log p(x_0 | x_t) beside D3PM's bound
    network: Literal["unet", "transformer"] = "unet"
    width: int = 64
    depth: int = 2  # of the U-Net how often the length is halved, of the transformer its blocks
    dropout: float = 0.0
    drop_condition: float = 0.1  # share of training sequences whose condition is hidden, for guidance

    def __post_init__(self) -> None:
        check_alphabet(self)
        check_at_least_one(self, "length", "timesteps", "width", "depth")
        check_share(self, "dropout", "drop_condition")
        check_choice(self, "process", ("masked", "absorbing", "uniform"))
        check_choice(self, "network", ("unet", "transformer"))
        if not 0 <= self.auxiliary < math.inf:
            raise InputError(f"auxiliary is {self.auxiliary}: the weight must not be negative")


@dataclass(frozen=True)
class SequenceBound:
    """An upper bound of ``-log p(x)`` of each sequence, ``(batch,)`` each."""

    nats: Tensor  # a sequence
    bits_per_letter: Tensor  # 2 is a DNA sequence of which nothing is known


class DiscreteDiffusion(Model):
    """Learns to undo masking or replacement of letters; batches hold ``codes``, uint8 ``(batch, length)``.

    Any length: the network has none built in. The network of absorbing noise is told the share of letters
    that are masked rather than the time. It sees the masks, which is all that the time could tell it (Ou et
    al. 2024), and a template's letters, present from the start, do not contradict it.

    Examples
    --------
    >>> model = DiscreteDiffusion(DiscreteDiffusionConfig(length=12, width=8))
    >>> model.sample(2, template="NNNTATAANNNN").shape
    torch.Size([2, 12])
    """

    config_class = DiscreteDiffusionConfig
    config: DiscreteDiffusionConfig

    def __init__(self, config: DiscreteDiffusionConfig) -> None:
        super().__init__()
        self.config = c = config
        self.alphabet = ALPHABETS[c.alphabet]
        noise: Noise = "uniform" if c.process == "uniform" else "absorbing"
        self.process = DiscreteProcess(self.alphabet.size, noise, LogLinearSchedule())
        make = UNet1d if c.network == "unet" else SequenceTransformer
        self.network = make(
            self.process.n_states,
            self.alphabet.size,
            c.conditions,
            width=c.width,
            depth=c.depth,
            dropout=c.dropout,
        )

    def denoiser(self, codes: Mapping[str, Tensor] | None = None) -> LetterDenoiser:
        """Return the function from states and time to ``log p(x_0 | x_t)``, under this condition."""

        def denoise(x: Tensor, t: Tensor) -> Tensor:
            states = one_hot(x.long(), self.process.n_states).movedim(-1, 1).float()
            if self.process.mask is not None:
                share = (x == self.process.mask).float().mean(dim=1)  # (batch,)
                return self.network(states, share, codes).log_softmax(dim=1)  # (batch, n_letters, length)
            # A letter that may have been replaced still says something; the network adds what the others say.
            return (self.network(states, t, codes) + self.process.evidence(x, t).log()).log_softmax(dim=1)

        return denoise

    def loss(self, batch: Batch) -> Loss:
        """Return the bound in nats a letter, and with D3PM its auxiliary term.

        InputError where the batch lacks ``codes`` or a condition, or holds codes that are no letters.
        """
        letters = checked_letters(batch, self.alphabet)
        conditions = batch_codes(batch, self.config.conditions, n_rows=len(letters))
        if self.training and conditions:
            conditions = self.network.drop(conditions, self.config.drop_condition)
        denoiser = self.denoiser(conditions)
        if self.config.process == "masked":
            bound = bound_in_time(denoiser, letters, self.process).mean() / letters.shape[1]
            return Loss(bound, {"bound": bound})
        terms = d3pm_terms(denoiser, letters, self.process, n_steps=self.config.timesteps)
        bound, missed = (term.mean() / letters.shape[1] for term in terms)
        return Loss(bound + self.config.auxiliary * missed, {"bound": bound, "auxiliary": missed})

    @torch.no_grad()
    def bound(
        self, batch: Batch, *, n_draws: int = 16, generator: torch.Generator | None = None
    ) -> SequenceBound:
        """Estimate an upper bound of ``-log p(x)``, averaged over ``n_draws`` random times.

        Of the condition that the batch holds; of the unconditional model where it holds none. InputError as
        in `loss`, and where ``n_draws`` is below 1.
        """
        if n_draws < 1:
            raise InputError(f"n_draws is {n_draws}: it must be at least 1")
        letters = checked_letters(batch, self.alphabet)
        codes = None
        if any(name in batch for name in self.config.conditions):
            codes = batch_codes(batch, self.config.conditions, n_rows=len(letters))
        else:
            check_unconditional(self.config.conditions, self.config.drop_condition)
        denoiser = self.denoiser(codes)
        total = torch.zeros(len(letters), device=letters.device)
        with evaluating(self):
            for _ in range(n_draws):
                total += self._estimate(denoiser, letters, generator) / n_draws
        return SequenceBound(total, total / (math.log(2) * letters.shape[1]))

    def _estimate(
        self, denoiser: LetterDenoiser, letters: Tensor, generator: torch.Generator | None
    ) -> Tensor:
        if self.config.process == "masked":
            return bound_by_count(denoiser, letters, self.alphabet.size, generator=generator)
        return d3pm_terms(
            denoiser, letters, self.process, n_steps=self.config.timesteps, generator=generator
        )[0]

    @torch.no_grad()
    def sample(
        self,
        n: int,
        condition: Condition | None = None,
        *,
        generator: torch.Generator | None = None,
        length: int | None = None,
        n_steps: int | None = None,
        order: Literal["time", "random", "confidence"] = "time",
        guidance_scale: float = 1.0,
        temperature: float = 1.0,
        top_p: float = 1.0,
        template: str | Sequence[str] | Tensor | None = None,
    ) -> Tensor:
        """Generate letters, uint8 codes ``(n, length)``.

        Parameters
        ----------
        n
            How many sequences.
        condition
            For each covariate one name, ``n`` names or codes ``(n,)``; None samples the unconditional model.
        generator
            Source of randomness.
        length
            Of the sequences; None takes that of the template or of the configuration.
        n_steps
            None takes as many as there are letters. Fewer are faster, and letters drawn in one step do not
            see each other.
        order
            ``"time"`` walks back in even steps of time; ``"random"`` and ``"confidence"`` fill in as many
            masked letters in each step (see `unmask`).
        guidance_scale
            1 samples the condition as learned, more sharpens it, 0 ignores it.
        temperature, top_p
            Sharpen each letter's distribution, or cut off its tail; 1 changes nothing.
        template
            What is known, as text or codes, for all or for each sequence: its letters stay where they are,
            the unknown letter (N) is free, and one that stands for several (R) allows those.

        Raises
        ------
        InputError
            If ``n`` is below 1, the condition is unknown, guidance is asked for without one, the
            unconditional model is needed but was never trained, or an option does not fit the others.
        """
        denoiser = tempered(self._guided(n, condition, guidance_scale), temperature)
        allowed = letters_allowed(template, self.alphabet, n, length, default=self.config.length)
        x, allowed = self._start(n, allowed, generator)
        denoiser = nucleus(restricted(denoiser, allowed), top_p)
        with evaluating(self):
            return self._walk(denoiser, x, order, n_steps, generator)

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

    def _start(self, n: int, allowed: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Return the states at t = 1, ``(n, length)``, and what is allowed, on the device of the weights."""
        allowed = allowed.to(next(self.parameters()).device)
        x = self.process.pure_noise(n, allowed.shape[-1], generator=generator, device=allowed.device)
        if self.process.mask is not None:  # letters that are known need not be found
            known = allowed.sum(dim=1) == 1  # (1 or n, length)
            x = torch.where(known, allowed.byte().argmax(dim=1), x).to(torch.uint8)
        return x, allowed

    def _walk(
        self,
        denoiser: LetterDenoiser,
        x: Tensor,
        order: Literal["time", "random", "confidence"],
        n_steps: int | None,
        generator: torch.Generator | None,
    ) -> Tensor:
        n_steps = x.shape[1] if n_steps is None else n_steps
        if order == "time":
            times = falling_times(n_steps, device=x.device)
            return ancestral(denoiser, x, times, self.process, generator=generator)
        if order not in ("random", "confidence"):
            raise InputError(f"order is {order!r}: choose time, random or confidence")
        if self.process.mask is None:
            raise InputError(f"order is {order!r}, but uniform noise masks no letters: use order='time'")
        return unmask(denoiser, x, self.process.mask, n_steps=n_steps, order=order, generator=generator)
