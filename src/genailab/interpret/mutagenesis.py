"""In-silico mutagenesis: what each single substitution would change, exactly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

import torch
from torch import Tensor

import genailab.interpret.edited_rules  # noqa: F401  (fills RULES)
from genailab.errors import InputError, nearest
from genailab.interpret.edited import Edited
from genailab.interpret.outputs import Predictor, Target, as_evaluated, check_sequences, select

__all__ = ["Mutagenesis", "in_silico_mutagenesis"]

Method = Literal["auto", "local", "plain"]
METHODS = ("auto", "local", "plain")
N_CHECKED = 8  # edits that are predicted both ways before the local one is trusted


class Mutagenesis(NamedTuple):
    """What `in_silico_mutagenesis` returns."""

    effects: Tensor  # (batch, channels, end - start): prediction with that letter there, minus `predictions`
    predictions: Tensor  # (batch,): of the sequences as they are
    method: str  # "local" or "plain"
    note: str  # functions that saw whole sequences, or why the plain way was taken; "" where neither


@torch.no_grad()
def in_silico_mutagenesis(
    model: Predictor,
    x: Tensor,
    *,
    target: Target = None,
    start: int = 0,
    end: int | None = None,
    method: Method = "auto",
    batch_size: int = 512,
) -> Mutagenesis:
    """Predict every sequence with every single letter replaced by every other one.

    The local way computes, layer by layer, only what a substitution can reach (see `Edited`). It gives the
    same values up to rounding and is several times faster for convolutional models, the more so the longer
    the sequence; a function that mixes all positions, such as attention, is computed whole.

    Parameters
    ----------
    model
        From one-hot ``(batch, channels, length)`` to outputs, a module or any function; rows must not
        influence each other. Its mode is left as it was.
    x
        One-hot sequences ``(batch, channels, length)``; not changed.
    target
        Which output, see `predict`.
    start, end
        Positions to mutate, 0-based and half-open; all by default.
    method
        ``"auto"`` takes the local way where it agrees with the plain one on a few edits; ``"local"`` and
        ``"plain"`` insist.
    batch_size
        Edits at a time.

    Returns
    -------
    `Mutagenesis`; the effect of the letter that stands there already is 0.

    Raises
    ------
    InputError
        If positions lie outside the sequence, there is no such method, or the local way is insisted on and
        can't be gone.
    """
    check_sequences(x)
    if method not in METHODS:
        raise InputError(f"there is no method {method!r}: {nearest(method, METHODS)}")
    end = x.shape[2] if end is None else end
    if not 0 <= start < end <= x.shape[2]:
        raise InputError(
            f"positions {start} to {end} do not lie in a sequence of {x.shape[2]}: give 0 <= start < end"
        )
    with as_evaluated(model):
        predictions = torch.cat([select(model(rows), target) for rows in x.split(batch_size)])
        problem = "" if method == "plain" else _why_not_local(model, x[:1], target, (start, end))
        if problem and method == "local":
            raise InputError(f"this model can't be followed locally, since {problem}: use method='auto'")
        local = method != "plain" and not problem
        wholes: set[str] = set()
        effects = torch.zeros(len(x), x.shape[1], end - start, dtype=predictions.dtype, device=x.device)
        for row, (sequence, prediction) in enumerate(zip(x, predictions, strict=True)):
            for letter, position in _edits(sequence, start, end, batch_size):
                copies = _local(sequence, letter, position, wholes) if local else None
                edited = _plain(sequence, letter, position) if copies is None else copies
                effects[row, letter, position - start] = select(_run(model, edited), target) - prediction
    note = ", ".join(sorted(wholes)) if local else problem
    return Mutagenesis(effects, predictions, "local" if local else "plain", note)


def _edits(sequence: Tensor, start: int, end: int, size: int) -> Iterator[tuple[Tensor, Tensor]]:
    # By position, so that the windows of a batch lie close together.
    position, letter = (sequence[:, start:end].T != 1).nonzero(as_tuple=True)
    return zip(letter.split(size), (position + start).split(size), strict=True)


def _plain(sequence: Tensor, letter: Tensor, position: Tensor) -> Tensor:
    copies = sequence.repeat(len(letter), 1, 1)
    rows = torch.arange(len(letter), device=sequence.device)
    copies[rows, :, position] = 0
    copies[rows, letter, position] = 1
    return copies


def _local(sequence: Tensor, letter: Tensor, position: Tensor, wholes: set[str]) -> Edited:
    windows = torch.zeros(len(letter), len(sequence), 1, dtype=sequence.dtype, device=sequence.device)
    windows[torch.arange(len(letter), device=sequence.device), letter] = 1
    return Edited(windows, position, sequence[None].clone(), wholes)


def _run(model: Predictor, x: Tensor) -> object:
    outputs = model(x)
    return outputs.whole() if isinstance(outputs, Edited) else outputs


def _why_not_local(model: Predictor, x: Tensor, target: Target, span: tuple[int, int]) -> str:
    """Compare a few edits, at both ends and between, predicted both ways; empty if they agree."""
    position = torch.linspace(span[0], span[1] - 1, N_CHECKED, device=x.device).round().long()
    letter = (x[0, :, position].argmax(dim=0) + 1) % x.shape[1]
    expected = select(model(_plain(x[0], letter, position)), target)
    try:
        found = select(_run(model, _local(x[0], letter, position, set())), target)
    except Exception as error:  # whatever a model of the user's does that tensors can do and Edited can't
        return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    tolerance = 1e-4 * max(1.0, expected.abs().max().item())
    gap = (found - expected).abs().max().item()
    return "" if gap <= tolerance else f"it gave values that differ by {gap:.2g} (are rows independent?)"
