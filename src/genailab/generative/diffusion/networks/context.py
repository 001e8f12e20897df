"""What every denoising network is told beside its input: the time, and what is asked for.

Time becomes sinusoids and a small network (Ho et al. 2020, appendix B), each covariate an embedding that is
added to it. A missing condition is a code of its own, the last, which is how one network learns the
conditional and the unconditional model (Ho & Salimans 2022, "Classifier-Free Diffusion Guidance", algorithm
1).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from genailab.errors import InputError
from genailab.nn.conditioning import Categories
from genailab.nn.time import FourierTime

__all__ = ["Conditioned", "zero_linear"]


class Conditioned(nn.Module):
    """A network that knows the time and the condition: the base of all of them.

    Parameters
    ----------
    categories
        Category names of each covariate; none for an unconditional network.
    n_context
        Features of time and condition together, ``(batch, n_context)``.
    """

    def __init__(self, categories: Categories, n_context: int) -> None:
        super().__init__()
        self.time = nn.Sequential(
            FourierTime(64), nn.Linear(64, n_context), nn.SiLU(), nn.Linear(n_context, n_context)
        )
        # By number, not by name: names of covariates may hold dots, which names of modules may not.
        self.conditions = nn.ModuleDict(
            {
                f"embed_{i}": nn.Embedding(len(names) + 1, n_context)
                for i, names in enumerate(categories.values())
            }
        )
        self.nothing = {key: len(names) for key, names in categories.items()}  # the code of no condition

    def context(self, n: int, t: Tensor, codes: Mapping[str, Tensor] | None = None) -> Tensor:
        """Return ``(n, n_context)`` for times ``(n,)`` or a scalar; without ``codes`` for none."""
        context = self.time(t.expand(n))
        for (key, code), embedding in zip(self.nothing.items(), self.conditions.values(), strict=True):
            nothing = torch.full((n,), code, device=t.device)
            context = context + embedding(nothing if codes is None else _codes_of(codes, key))
        return context

    def drop(
        self, codes: Mapping[str, Tensor], probability: float, *, generator: torch.Generator | None = None
    ) -> dict[str, Tensor]:
        """Replace all conditions of some samples by "nothing", each sample with this probability."""
        if not self.nothing:
            return {}
        first = _codes_of(codes, next(iter(self.nothing)))
        hidden = torch.rand(first.shape, generator=generator, device=first.device) < probability
        return {key: torch.where(hidden, code, _codes_of(codes, key)) for key, code in self.nothing.items()}


def _codes_of(codes: Mapping[str, Tensor], key: str) -> Tensor:
    if key not in codes:
        raise InputError(
            f"the model is told {key!r}, but the batch holds only {sorted(codes)}: give the code of each row "
            f"under the name {key!r}"
        )
    return codes[key]


def zero_linear(n_in: int, n_out: int) -> nn.Linear:
    """Return a linear layer that starts at zero: what hangs on it can't spoil an untrained network."""
    layer = nn.Linear(n_in, n_out)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
