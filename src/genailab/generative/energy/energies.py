"""What every sampler asks of an energy: its values, its score, and that both are numbers.

An energy E gives the density ``p(x) = exp(-E(x)) / Z``; its score is ``grad log p = -grad E``. It takes a
batch ``(batch, ...)`` and returns ``(batch,)``, each row by itself. Samplers always hand it all their chains
in the same order, so an energy may know each row's condition.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from genailab.errors import InputError

__all__ = ["Energy", "Score", "check_chain", "check_steps", "energy_and_score", "score_of"]

Energy = Callable[[Tensor], Tensor]  # (batch, ...) to (batch,)
Score = Callable[[Tensor], Tensor]  # (batch, ...) to the same shape


def energy_and_score(energy: Energy, x: Tensor, *, create_graph: bool = False) -> tuple[Tensor, Tensor]:
    """Return the energies ``(batch,)`` and the score ``-grad E``, shape of ``x``, under ``no_grad`` too.

    With ``create_graph`` both can be differentiated with respect to the energy's parameters.

    Raises
    ------
    InputError
        If the energy doesn't return one number a row.

    Examples
    --------
    >>> values, score = energy_and_score(lambda x: 0.5 * x.square().sum(dim=1), torch.tensor([[3.0, 4.0]]))
    >>> values.tolist(), score.tolist()
    ([12.5], [[-3.0, -4.0]])
    """
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        values = energy(x)
        if values.shape != x.shape[:1]:
            raise InputError(
                f"the energy returned {tuple(values.shape)} for {len(x)} rows: it must return one number a "
                f"row, {(len(x),)}"
            )
        (gradient,) = torch.autograd.grad(values.sum(), x, create_graph=create_graph, materialize_grads=True)
    return (values, -gradient) if create_graph else (values.detach(), -gradient)


def score_of(energy: Energy) -> Score:
    """Return the score of an energy, ``x -> -grad E(x)``."""
    return lambda x: energy_and_score(energy, x)[1]


def check_steps(sampler: str, *, step_size: float | None = None, n_steps: int) -> None:
    """Refuse a sampler's settings that cannot be right."""
    if n_steps < 0:
        raise InputError(f"{sampler} was asked for {n_steps} steps: ask for 0 or more")
    if step_size is not None and not 0 < step_size < float("inf"):
        raise InputError(f"the step size of {sampler} is {step_size}: it must be positive, for example 0.01")


def check_chain(values: Tensor, *, sampler: str, step: int, infinite: bool = False) -> None:
    """Refuse chains whose energies or states ``(batch, ...)`` are no numbers; step 0 is the start.

    Where ``infinite`` is allowed, an energy of +inf (a point outside the support, which is rejected) passes.
    """
    wrong = values.isnan() | (values == -torch.inf if infinite else values.isinf())
    if wrong.any():
        chain = int(wrong.nonzero()[0, 0])
        place = f"at step {step}" if step else "at the start"
        remedy = "lower the step size" if step else "start the chains where the density is positive"
        raise InputError(
            f"{sampler} met {float(values[wrong][0])} {place}, in chain {chain} of {len(values)}: {remedy}, "
            "or look for an energy that is not finite there"
        )
