"""An energy-based model of sequences, trained by contrastive divergence with gradient-informed Gibbs chains.

    p(x | c) = exp(-E(x, c)) / Z(c)    over sequences of one length

E is a position weight matrix and a convolutional network (see `SequenceEnergy`); the chains are those of
Grathwohl et al. 2021, "Oops I took a gradient: scalable sampling for discrete distributions", section 6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from genailab.data.sequences.alphabet import ALPHABETS
from genailab.errors import InputError
from genailab.generative.energy.conditions import condition_groups, n_condition_groups
from genailab.generative.energy.contrastive_divergence import contrastive_divergence
from genailab.generative.energy.energies import Energy
from genailab.generative.energy.gibbs import gibbs, gibbs_with_gradients
from genailab.generative.energy.letters import hot_letters
from genailab.generative.energy.networks import SequenceEnergy
from genailab.generative.energy.partition import LogPartition, annealed_importance_sampling, gibbs_transition
from genailab.generative.energy.persistent_chains import PersistentChains, chains_to_begin_at
from genailab.nn.checks import check_alphabet, check_at_least_one, check_choice, check_odd
from genailab.nn.conditioning import Condition, batch_codes, encode_condition
from genailab.nn.model import Batch, Loss, Model, evaluating

__all__ = ["SequenceEnergyModel", "SequenceEnergyModelConfig"]


@dataclass(frozen=True, kw_only=True)
class SequenceEnergyModelConfig:
    """Size and meaning of a SequenceEnergyModel. One step of a chain proposes to change one letter."""

    length: int
    alphabet: str = "DNA"
    conditions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # category names by covariate
    channels: int = 32
    kernel: int = 5
    depth: int = 2
    n_dense: int = 64
    aligned: bool = True  # whether positions matter, as around a splice site
    spectral_norm: bool = False
    chains: Literal["persistent", "data"] = "persistent"  # where chains start: PCD, or CD-k
    n_chains: int = 1024
    chain_steps: int = 20  # a batch
    restart: float = 0.02  # share of the chains that start anew from random letters
    regularisation: float = 1e-2  # weight of the squared energies; at 1e-3 they run away from the chains

    def __post_init__(self) -> None:
        check_at_least_one(self, "length", "channels", "n_dense", "n_chains", "chain_steps")
        check_odd(self, "kernel")
        check_choice(self, "chains", ("persistent", "data"))
        check_alphabet(self)
        if self.depth < 0:
            raise InputError(f"depth is {self.depth}: it must be 0 or more")
        if not 0 <= self.restart <= 1:
            raise InputError(f"restart is {self.restart}: it is a share, in [0, 1]")
        if not self.regularisation >= 0:
            raise InputError(f"regularisation is {self.regularisation}: it must not be negative")


class SequenceEnergyModel(Model):
    """A distribution of sequences known up to its normaliser; see the module for the model.

    Batches hold ``codes``, uint8 ``(batch, length)``, letters only, and the codes ``(batch,)`` of each
    condition by name. The loss is no likelihood and hovers about 0: train for a number of steps, not for
    patience.

    Examples
    --------
    >>> model = SequenceEnergyModel(SequenceEnergyModelConfig(length=9))
    >>> model.sample(2, n_steps=5, generator=torch.Generator().manual_seed(0)).shape
    torch.Size([2, 9])
    """

    config_class = SequenceEnergyModelConfig
    config: SequenceEnergyModelConfig

    def __init__(self, config: SequenceEnergyModelConfig) -> None:
        super().__init__()
        self.config = c = config
        self.n_letters = ALPHABETS[c.alphabet].size
        self.network = SequenceEnergy(
            self.n_letters,
            c.length,
            c.conditions,
            channels=c.channels,
            kernel=c.kernel,
            depth=c.depth,
            n_dense=c.n_dense,
            aligned=c.aligned,
            spectral_norm=c.spectral_norm,
        )
        self.chains = None
        if c.chains == "persistent":
            letters = torch.randint(self.n_letters, (c.n_chains, c.length), dtype=torch.uint8)
            self.chains = PersistentChains(letters, n_groups=n_condition_groups(c.conditions))

    def energy(self, codes: Tensor, conditions: Mapping[str, Tensor] | None = None) -> Tensor:
        """Return the energies ``(batch,)`` in nats of uint8 codes ``(batch, length)``.

        ``conditions`` are the codes ``(batch,)`` of each covariate. `network` takes one-hot sequences, for
        gradients.

        Raises
        ------
        InputError
            If the sequences have another length, or a letter is unknown.
        """
        return self.network(self._hot(codes), conditions)

    def log_prob(self, codes: Tensor, conditions: Mapping[str, Tensor] | None = None) -> Tensor:
        """Return the log-probability ``(batch,)``, up to a constant of the condition (`log_partition`)."""
        return -self.energy(codes, conditions)

    def log_partition(
        self,
        condition: Condition | None = None,
        *,
        n_walks: int = 256,
        n_temperatures: int = 200,
        generator: torch.Generator | None = None,
    ) -> LogPartition:
        """Estimate ``log Z`` under one condition by annealed importance sampling from random letters.

        Names in ``condition`` are single, one for each covariate. At each temperature a tenth of the letters
        are drawn anew.
        """
        which = self._encoded(condition, n_walks)
        length = self.config.length
        with evaluating(self):
            return annealed_importance_sampling(
                self._energy_under(which),
                lambda x: x.new_zeros(len(x)),
                hot_letters(self._random_letters(n_walks, generator), self.n_letters),
                transition=gibbs_transition(n_steps=max(1, length // 10)),
                base_log_partition=length * torch.tensor(float(self.n_letters)).log().item(),
                n_temperatures=n_temperatures,
                generator=generator,
            )

    def loss(self, batch: Batch) -> Loss:
        """Return the loss of contrastive divergence, averaged over the batch.

        Raises
        ------
        InputError
            If ``codes`` or a condition is missing or of another shape, or a letter is unknown.
        """
        if "codes" not in batch:
            raise InputError(f"the batch holds {sorted(batch)} but no 'codes': give sequences as uint8 codes")
        codes, categories = batch["codes"], self.config.conditions
        x = self._hot(codes)  # (batch, n_letters, length)
        which = batch_codes(batch, categories, n_rows=len(codes))
        slots, start = None, codes
        if self.chains is not None:
            slots = self.chains.slots(condition_groups(which, categories, codes))
            fresh = self._random_letters(len(codes), None)
            start = self.chains.start(slots, fresh, restart=self.config.restart)
        energy = self._energy_under(which)
        with evaluating(self):
            ends, acceptance = gibbs_with_gradients(
                energy, start, n_letters=self.n_letters, n_steps=self.config.chain_steps
            )
        if self.chains is not None and slots is not None and self.training:
            self.chains.store(slots, ends)
        loss = contrastive_divergence(
            energy(x), energy(hot_letters(ends, self.n_letters)), regularisation=self.config.regularisation
        )
        return Loss(loss.total, {**loss.terms, "acceptance": acceptance.mean()})

    @torch.no_grad()
    def sample(
        self,
        n: int,
        condition: Condition | None = None,
        *,
        generator: torch.Generator | None = None,
        sampler: Literal["gradients", "gibbs"] = "gradients",
        n_steps: int | None = None,
        start: Literal["chains", "noise"] | None = None,
    ) -> Tensor:
        """Generate sequences, uint8 codes ``(n, length)``.

        Parameters
        ----------
        n
            How many.
        condition
            For each covariate one name, ``n`` names, or codes ``(n,)``.
        generator
            Source of randomness.
        sampler
            Gibbs with ``gradients``, or plain ``gibbs``.
        n_steps
            Letters that each chain tries to change; ten for each position where it isn't given.
        start
            From the ``chains`` of training, the default where there are any, or from random letters
            (``noise``).

        Raises
        ------
        InputError
            If ``n`` is below 1, the condition is incomplete or unknown, or a setting is.
        """
        which = self._encoded(condition, n)
        codes = self._starts(n, which, start, generator)
        if sampler not in ("gradients", "gibbs"):
            raise InputError(f"sampler is {sampler!r}: choose gradients or gibbs")
        n_steps = 10 * self.config.length if n_steps is None else n_steps
        energy, size = self._energy_under(which), self.n_letters
        with evaluating(self):
            if sampler == "gibbs":
                return gibbs(energy, codes, n_letters=size, n_steps=n_steps, generator=generator)
            return gibbs_with_gradients(
                energy, codes, n_letters=size, n_steps=n_steps, generator=generator
            ).states

    def _energy_under(self, conditions: Mapping[str, Tensor]) -> Energy:
        return lambda x: self.network(x, conditions)

    def _hot(self, codes: Tensor) -> Tensor:
        if codes.dim() != 2 or codes.shape[1] != self.config.length:
            raise InputError(
                f"'codes' has the shape {tuple(codes.shape)}: this model takes (batch, {self.config.length})"
            )
        return hot_letters(codes, self.n_letters)  # (batch, n_letters, length)

    def _encoded(self, condition: Condition | None, n: int) -> dict[str, Tensor]:
        return encode_condition(condition, self.config.conditions, n, device=self._device)

    def _starts(
        self, n: int, which: Mapping[str, Tensor], start: str | None, generator: torch.Generator | None
    ) -> Tensor:
        chains = chains_to_begin_at(self.chains, start)
        if chains is None:
            return self._random_letters(n, generator)
        groups = condition_groups(which, self.config.conditions, torch.empty(n, device=self._device))
        return chains.states[chains.slots(groups, generator=generator)]

    def _random_letters(self, n: int, generator: torch.Generator | None) -> Tensor:
        return torch.randint(
            self.n_letters,
            (n, self.config.length),
            dtype=torch.uint8,
            generator=generator,
            device=self._device,
        )

    @property
    def _device(self) -> torch.device:
        return self.network.weight_matrix.weight.device
