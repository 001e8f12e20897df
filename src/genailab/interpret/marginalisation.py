"""What a motif does by itself: its effect on a prediction, averaged over backgrounds that it is put into."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from genailab.data.motifs.motif import Motif
from genailab.data.sequences.alphabet import DNA
from genailab.data.sequences.encoding import encode, one_hot
from genailab.errors import InputError
from genailab.interpret.outputs import Predictor, Target, check_sequences, predict

__all__ = ["Marginalisation", "insert_motif", "marginalise"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Marginalisation:
    """Predictions for each background without and with the motif, ``(backgrounds,)``."""

    before: Tensor
    after: Tensor

    @property
    def effects(self) -> Tensor:
        """Change of the prediction in each background, ``(backgrounds,)``."""
        return self.after - self.before

    @property
    def effect(self) -> float:
        """Mean change."""
        return self.effects.double().mean().item()

    @property
    def standard_error(self) -> float:
        """Standard error of the mean change; nan for one background."""
        effects = self.effects.double()
        return effects.std().item() / len(effects) ** 0.5 if len(effects) > 1 else float("nan")


def marginalise(
    model: Predictor,
    motif: str | Motif,
    backgrounds: Tensor,
    *,
    position: int | None = None,
    target: Target = None,
    batch_size: int = 256,
) -> Marginalisation:
    """Predict backgrounds as they are and with a motif in place of what stood there.

    A global importance analysis (Koo et al. 2021, "Global importance analysis: An interpretability method to
    quantify importance of genomic features in deep neural networks"). Backgrounds that share composition with
    the sequences of interest, and nothing else, come from `genailab.data.sequences.shuffle`.

    Parameters
    ----------
    model
        From one-hot ``(batch, 4, length)`` to outputs.
    motif
        Letters, N for what stays as it is, or a motif, of which the consensus is taken.
    backgrounds
        DNA codes ``(backgrounds, length)`` or one-hot ``(backgrounds, 4, length)``.
    position
        Where the motif starts; the middle by default.
    target
        Which output, see `predict`.
    batch_size
        Rows at a time.

    Examples
    --------
    >>> codes = encode(["A" * 20, "C" * 20])
    >>> count_g = lambda x: x[:, 2].sum(dim=1)
    >>> found = marginalise(count_g, "GGNG", codes)
    >>> found.effect, found.standard_error
    (3.0, 0.0)
    """
    if not isinstance(backgrounds, Tensor):
        raise InputError(
            f"backgrounds are codes or one-hot, got a {type(backgrounds).__name__}: encode() text first"
        )
    x = one_hot(backgrounds) if backgrounds.dim() == 2 else backgrounds
    check_sequences(x)
    edited = insert_motif(x, motif, position=position)
    before = predict(model, x, target=target, batch_size=batch_size)
    return Marginalisation(before=before, after=predict(model, edited, target=target, batch_size=batch_size))


def insert_motif(x: Tensor, motif: str | Motif, *, position: int | None = None) -> Tensor:
    """Return one-hot sequences ``(batch, 4, length)`` with the motif written over what stood there."""
    letters = motif.consensus if isinstance(motif, Motif) else motif
    if not letters or not set(letters.upper()) <= {*DNA.letters, DNA.unknown}:
        raise InputError(f"motif {letters!r} must be letters A, C, G, T, and N for what stays as it is")
    room = x.shape[2] - len(letters)
    first = room // 2 if position is None else position
    if not 0 <= first <= room:
        raise InputError(
            f"a motif of {len(letters)} letters at position {first} does not lie within backgrounds of "
            f"{x.shape[2]}: give a position from 0 to {room}"
        )
    codes = encode(letters).to(x.device)
    kept = codes == DNA.size
    there = x[:, :, first : first + len(letters)]
    written = torch.where(kept, there, one_hot(codes, dtype=x.dtype))
    return torch.cat([x[:, :, :first], written, x[:, :, first + len(letters) :]], dim=2)
