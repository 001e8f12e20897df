"""Learn from labelled sequences of one domain, predict in another that has no labels.

    features    one-hot (batch, 4, window) -> (batch, n_shared)
    head        features -> outputs, trained on the rows with labels
    critic      features -> which domain, trained on all rows, its gradient reversed into the features

The features are to serve the head and to tell nothing of the domain (species, cell line, laboratory): then
what the head learned in one holds in the other. `alignment` says how: "adversarial" (Ganin & Lempitsky 2015),
"coral" (Sun & Saenko 2016: equal covariances, no critic, nothing to balance), or "none" to compare with.
Neither helps where the domains differ in how often each class occurs; compare on labelled rows of the second
domain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from genailab.data.sequences.alphabet import ALPHABETS
from genailab.errors import InputError
from genailab.nn.checks import (
    check_alphabet,
    check_at_least_one,
    check_choice,
    check_numbers,
    check_odd,
    check_one_hot,
    check_outputs,
    check_share,
    one_hot_of,
)
from genailab.nn.convolution import MaxAndMean
from genailab.nn.gradient_reversal import reversal_scale, reverse_gradient
from genailab.nn.model import Batch, Loss, Model
from genailab.nn.tasks import IGNORED, Task, task_loss

__all__ = ["DomainAdversarial", "DomainAdversarialConfig", "coral"]


@dataclass(frozen=True, kw_only=True)
class DomainAdversarialConfig:
    """Size and meaning of a DomainAdversarial model."""

    window: int  # length of the sequences
    domains: tuple[str, ...] = ("source", "target")  # in the order of their numbers
    outputs: tuple[str, ...] = ("bound",)  # names of the classes, or of what is measured
    task: Task = "binary"
    alphabet: str = "DNA"
    alignment: Literal["adversarial", "coral", "none"] = "adversarial"
    strength: float = 1.0  # of the alignment, against a weight of 1 for the labels
    ramp_steps: int = 1000  # batches over which the reversal grows from 0 to nearly its strength
    n_filters: int = 64
    filter_length: int = 15
    pool: int = 4
    n_shared: int = 64
    dropout: float = 0.2

    def __post_init__(self) -> None:
        check_at_least_one(self, "window", "ramp_steps", "n_filters", "pool", "n_shared")
        check_odd(self, "filter_length")
        check_share(self, "dropout")
        check_choice(self, "task", ("binary", "classes", "regression"))
        check_choice(self, "alignment", ("adversarial", "coral", "none"))
        check_alphabet(self)
        check_outputs(self)
        check_outputs(self, "domains")
        if len(self.domains) < 2:
            raise InputError(f"domains names one domain, {self.domains[0]!r}: name at least 2")
        if not self.strength >= 0:
            raise InputError(f"strength is {self.strength}: it must not be negative")
        if self.window < self.pool:
            raise InputError(
                f"the window of {self.window} is shorter than pool {self.pool}: make pool smaller"
            )


class DomainAdversarial(Model):
    """Features, head and critic; see the module for the shapes.

    ``forward`` takes one-hot ``(batch, 4, window)`` and returns raw logits or values ``(batch, outputs)``.
    Batches hold ``codes``, uint8 ``(batch, window)``, ``domain``, long ``(batch,)``, and ``label`` (-100
    where a row has none) or ``target`` (NaN where a row has none). Rows of the second domain need no label.

    Raises
    ------
    InputError
        If the sequences are not ``window`` long, the codes not uint8, or a domain is unknown.

    Examples
    --------
    >>> from genailab.data.sequences.encoding import one_hot
    >>> model = DomainAdversarial(DomainAdversarialConfig(window=20))
    >>> model(one_hot(["ACGTA" * 4] * 3)).shape
    torch.Size([3, 1])
    """

    config_class = DomainAdversarialConfig
    config: DomainAdversarialConfig
    steps: Tensor

    def __init__(self, config: DomainAdversarialConfig) -> None:
        super().__init__()
        self.config = c = config
        n_letters = ALPHABETS[c.alphabet].size
        self.features = nn.Sequential(
            nn.Conv1d(n_letters, c.n_filters, c.filter_length, padding=c.filter_length // 2),
            nn.BatchNorm1d(c.n_filters),
            nn.ReLU(),
            nn.MaxPool1d(c.pool),
            MaxAndMean(),  # (batch, 2 * n_filters)
            nn.Linear(2 * c.n_filters, c.n_shared),
            nn.ReLU(),
        )
        self.head = nn.Sequential(nn.Dropout(c.dropout), nn.Linear(c.n_shared, len(c.outputs)))
        if c.alignment == "adversarial":
            self.critic = nn.Sequential(
                nn.Linear(c.n_shared, c.n_shared), nn.ReLU(), nn.Linear(c.n_shared, len(c.domains))
            )
        # Saved with the weights, so that a resumed training goes on with the same reversal.
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))

    def forward(self, x: Tensor) -> Tensor:
        """Return raw logits or values, ``(batch, outputs)``."""
        check_one_hot(x, channels=ALPHABETS[self.config.alphabet].size, window=self.config.window)
        return self.head(self.features(x))

    def loss(self, batch: Batch) -> Loss:
        """Return the loss of the rows with labels plus that of the alignment of all rows."""
        c = self.config
        x = one_hot_of(batch, alphabet=c.alphabet, window=c.window)
        check_numbers(batch["domain"], c.domains, name="domain", n_rows=len(x))
        domain = batch["domain"].long()
        features = self.features(x)  # (batch, n_shared)
        labelled = _labelled_loss(self.head(features), batch, c.task)
        if c.alignment == "none":
            return Loss(labelled, {"labels": labelled})
        if c.alignment == "coral":
            apart = _coral_of_domains(features, domain, len(c.domains))
            return Loss(labelled + c.strength * apart, {"labels": labelled, "coral": apart})
        critic = cross_entropy(self.critic(reverse_gradient(features, self._reversal())), domain)
        return Loss(labelled + critic, {"labels": labelled, "domain": critic})

    def _reversal(self) -> float:
        """How strongly the critic's gradient is reversed now; the critic itself always learns in full."""
        progress = min(1.0, int(self.steps) / self.config.ramp_steps)
        if self.training:
            self.steps += 1
        return self.config.strength * reversal_scale(progress)


def coral(source: Tensor, target: Tensor) -> Tensor:
    """How far the covariances of two sets of features are apart: ``||C_s - C_t||_F^2 / (4 d^2)``, a scalar.

    Sun & Saenko 2016, "Deep CORAL: Correlation Alignment for Deep Domain Adaptation", equation 1. Means don't
    count.

    Parameters
    ----------
    source, target
        Features ``(rows, d)`` and ``(other_rows, d)``.

    Raises
    ------
    InputError
        If a set has fewer than two rows, or the widths differ.

    Examples
    --------
    >>> rows = torch.tensor([[-1.0], [1.0]])
    >>> coral(rows, 2 * rows).item()  # variances 2 and 8
    9.0
    """
    if source.shape[1] != target.shape[1]:
        raise InputError(f"source has {source.shape[1]} features but target {target.shape[1]}: give the same")
    if min(len(source), len(target)) < 2:
        raise InputError(
            f"a covariance needs at least 2 rows, got {len(source)} of the source and {len(target)} of the "
            "target: make the batch larger, or mix the domains in it"
        )
    difference = source.T.cov() - target.T.cov()
    return difference.square().sum() / (4 * source.shape[1] ** 2)


def _coral_of_domains(features: Tensor, domain: Tensor, n_domains: int) -> Tensor:
    """Return the mean `coral` between the first domain and each other one with at least 2 rows here."""
    sets = [features[domain == number] for number in range(n_domains)]
    found = [coral(sets[0], other) for other in sets[1:] if min(len(sets[0]), len(other)) > 1]
    return torch.stack(found).mean() if found else features.sum() * 0.0


def _labelled_loss(outputs: Tensor, batch: Batch, task: Task) -> Tensor:
    """Return the task's loss over the rows with labels; 0 where there are none."""
    name = "label" if task == "classes" else "target"
    truth = batch[name]
    known = truth != IGNORED if task == "classes" else ~truth.reshape(len(truth), -1).isnan().any(dim=1)
    if not known.any():
        return outputs.sum() * 0.0
    return task_loss(outputs[known], {name: truth[known]}, task).total
