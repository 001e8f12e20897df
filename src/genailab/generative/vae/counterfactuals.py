"""What if: change the condition and keep the latent, move the latent and keep the condition, or mix both.

    z ~ q(z | x, c),  x' = decoder(z, c')

The same functions for any autoencoder with conditions: CountVAE, VAE and SequenceVAE. What a counterfactual
says about cells rests on a latent that doesn't itself tell the condition (Lotfollahi et al. 2019, "scGen
predicts single-cell perturbation responses"; Lotfollahi et al. 2023, compositional perturbation autoencoder).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from genailab.errors import InputError, nearest
from genailab.generative.vae.conditions import mix
from genailab.generative.vae.posterior import Posterior
from genailab.nn.conditioning import Categories, Condition, encode_condition
from genailab.nn.model import Batch, evaluating

__all__ = ["Decodable", "counterfactual", "interpolate", "traverse"]


class Decodable(Protocol):
    """An autoencoder: data to a latent state, and a state under a condition to what it stands for."""

    @property
    def categories(self) -> Categories:
        """Category names of each condition."""

    def encode(self, batch: Batch) -> Posterior:
        """Return ``q(z | x, c)`` of each row."""

    def reconstruct(self, state: Tensor, codes: Mapping[str, Tensor], batch: Batch | None = None) -> Tensor:
        """Return what states ``(batch, n_latent)`` stand for, without noise."""


@torch.no_grad()
def counterfactual(
    model: Decodable,
    batch: Batch,
    condition: Condition,
    *,
    draw: bool = False,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return what the rows would be under another condition, with the latent state that they have.

    Parameters
    ----------
    model
        A trained CountVAE, VAE or SequenceVAE.
    batch
        Rows as the model trains on them, with the codes of their own conditions.
    condition
        The covariates to change, by name: one name for all rows, one for each, or codes. Covariates that it
        doesn't name stay.
    draw
        Draw the state from the posterior; otherwise it is the posterior's mean.
    generator
        Source of randomness, for ``draw``.

    Returns
    -------
    Expected counts or vectors, or the most probable letters, one row each. A CountVAE keeps each cell's
    library size.

    Raises
    ------
    InputError
        If the condition is empty, or names a covariate or a category that the model doesn't know.
    """
    if not condition:
        raise InputError(
            f"a counterfactual needs a condition to change, one of {sorted(model.categories)}: pass, for "
            "example, {'treatment': 'control'}"
        )
    for key in condition:
        if key not in model.categories:
            raise InputError(f"the model knows no condition {key!r}: {nearest(key, model.categories)}")
    with evaluating(_module(model)):
        posterior = model.encode(batch).state
        state = posterior.draw(generator) if draw else posterior.mean
        changed = {key: model.categories[key] for key in condition}
        codes = encode_condition(condition, changed, len(state), device=state.device)
        kept = {key: batch[key] for key in model.categories if key not in codes}
        return model.reconstruct(state, {**kept, **codes}, batch)


@torch.no_grad()
def interpolate(
    model: Decodable,
    state: Tensor,
    start: Condition | None,
    end: Condition | None,
    *,
    end_state: Tensor | None = None,
    n_steps: int = 8,
) -> Tensor:
    """Return what lies between two labels, between two states, or between both, in even steps.

    The one-hot labels are mixed, ``(1 - s) start + s end`` for s from 0 to 1, and so are the states.

    Parameters
    ----------
    model
        A trained CountVAE, VAE or SequenceVAE.
    state
        Where to start, ``(n, n_latent)``.
    start, end
        The conditions at both ends, complete; None for a model without conditions.
    end_state
        Where to end, ``(n, n_latent)``; the state stays where it is not given.
    n_steps
        Steps with both ends, at least 2.

    Returns
    -------
    ``(n_steps, n, ...)``; the first and the last are those of `reconstruct` at the ends.
    """
    if n_steps < 2:
        raise InputError(f"{n_steps} steps between two ends: ask for at least 2, the ends themselves")
    end_state = state if end_state is None else end_state
    if end_state.shape != state.shape:
        raise InputError(
            f"the states differ in shape, {tuple(state.shape)} and {tuple(end_state.shape)}: give one end "
            "for each start"
        )
    first, last = (
        encode_condition(condition, model.categories, len(state), device=state.device)
        for condition in (start, end)
    )
    with evaluating(_module(model)):
        return torch.stack(
            [
                model.reconstruct(
                    torch.lerp(state, end_state, share), mix(first, last, share, model.categories)
                )
                for share in torch.linspace(0, 1, n_steps).tolist()
            ]
        )


@torch.no_grad()
def traverse(
    model: Decodable,
    state: Tensor,
    condition: Condition | None = None,
    *,
    dimensions: Sequence[int] | None = None,
    values: Sequence[float] = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0),
) -> Tensor:
    """Return what changes when one latent dimension at a time takes other values.

    Parameters
    ----------
    model
        A trained CountVAE, VAE or SequenceVAE.
    state
        The states to start from, ``(n, n_latent)``.
    condition
        For each covariate one name, ``n`` names, or codes ``(n,)``.
    dimensions
        Which to move; all without.
    values
        What the dimension is set to, in standard deviations of the prior.

    Returns
    -------
    ``(dimensions, values, n, ...)``.

    Raises
    ------
    InputError
        If a dimension doesn't exist, there are no values, or the condition is incomplete or unknown.
    """
    n_latent = state.shape[1]
    dimensions = range(n_latent) if dimensions is None else dimensions
    for dimension in dimensions:
        if not 0 <= dimension < n_latent:
            raise InputError(f"there is no latent dimension {dimension}: give 0 to {n_latent - 1}")
    if len(values) == 0 or len(dimensions) == 0:
        raise InputError("a traversal needs at least one dimension and one value, for example (-2, 0, 2)")
    codes = encode_condition(condition, model.categories, len(state), device=state.device)
    with evaluating(_module(model)):
        return torch.stack(
            [
                torch.stack([model.reconstruct(_moved(state, at, value), codes) for value in values])
                for at in dimensions
            ]
        )


def _moved(state: Tensor, dimension: int, value: float) -> Tensor:
    moved = state.clone()
    moved[:, dimension] = value
    return moved


def _module(model: Decodable) -> nn.Module:
    assert isinstance(model, nn.Module)  # all models are: for the type checker
    return model
