"""What a model says a variant does: its prediction with the variant minus that without."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from genailab.data.sequences.reverse_complement import reverse_complement
from genailab.data.variants.checks import OnError
from genailab.data.variants.haplotypes import Haplotypes
from genailab.data.variants.variant_table import Finding, judge, refuse
from genailab.errors import InputError

__all__ = ["score_variants"]


def score_variants(
    predict: Callable[[Tensor], Tensor],
    pairs: Haplotypes,
    *,
    outputs: Sequence[str] = (),
    both_strands: bool = True,
    batch_size: int = 256,
    on_error: OnError = "report",
) -> pd.DataFrame:
    """Predict both windows of each pair and return all variants with the difference.

    Parameters
    ----------
    predict
        Takes codes ``(batch, length)`` uint8 and returns ``(batch,)`` or ``(batch, outputs)``; of a model,
        ``lambda codes: model(one_hot(codes))``. It is called without gradients.
    pairs
        From `genailab.data.variants.haplotypes`.
    outputs
        Name of each output, where ``predict`` returns several.
    both_strands
        Average with the prediction for the reverse complement, so that the strand has no say.
    batch_size
        Pairs predicted at a time.
    on_error
        With ``"fail"``, a prediction that is not finite stops instead of being told.

    Returns
    -------
    DataFrame
        ``pairs.variants``, every row in its order, with ``reference_score``, ``alternative_score`` and
        ``effect`` (alternative minus reference, in the units of the prediction), followed by ``_name`` where
        there are several outputs. Rows without windows have NaN. Where a prediction is NaN or infinite the
        row has NaN for all and status ``failed``.

    Raises
    ------
    InputError
        If the predictions don't have one row a window or not the outputs that are named.
    """
    if batch_size < 1:
        raise InputError(f"batch_size is {batch_size}: it must be at least 1")
    halves = [
        _predict(predict, half, both_strands, batch_size) for half in (pairs.reference, pairs.alternative)
    ]
    reference, alternative = halves
    names = (
        _names(outputs, reference.shape[1]) if len(pairs) else tuple(f"_{name}" for name in outputs) or ("",)
    )
    finite = np.isfinite(reference) & np.isfinite(alternative)  # (pairs, outputs)
    table = _failed(pairs, finite)
    if on_error == "fail":
        refuse(table, "failed")
    columns = {
        "reference_score": reference,
        "alternative_score": alternative,
        "effect": alternative - reference,
    }
    usable = finite.all(axis=1)
    for column, values in columns.items():
        for number, name in enumerate(names):
            scores = np.full(len(table), np.nan)
            scores[pairs.rows[usable]] = values[usable, number] if len(pairs) else []
            table[f"{column}{name}"] = scores
    return table


def _predict(
    predict: Callable[[Tensor], Tensor], windows: Tensor, both_strands: bool, batch_size: int
) -> NDArray[np.float64]:
    """Return float64 ``(windows, outputs)``."""
    parts = [np.zeros((0, 1))] if not len(windows) else []
    with torch.no_grad():
        for codes in windows.split(batch_size) if len(windows) else ():
            strands = [codes, reverse_complement(codes)] if both_strands else [codes]
            parts.append(np.mean([_checked(predict(strand), len(codes)) for strand in strands], axis=0))
    return np.concatenate(parts)


def _checked(prediction: Tensor, rows: int) -> NDArray[np.float64]:
    if prediction.dim() not in (1, 2) or len(prediction) != rows:
        raise InputError(
            f"the predictions for {rows} windows have shape {tuple(prediction.shape)}: return one value, or "
            "one row of values, for each window"
        )
    return prediction.reshape(rows, -1).double().cpu().numpy()  # (batch, outputs)


def _names(outputs: Sequence[str], found: int) -> tuple[str, ...]:
    if outputs and len(outputs) != found:
        raise InputError(
            f"{len(outputs)} outputs are named ({', '.join(map(repr, outputs))}) but {found} are predicted: "
            "name each once, in their order"
        )
    if found == 1 and not outputs:
        return ("",)
    return tuple(f"_{name}" for name in (outputs or range(found)))


def _failed(pairs: Haplotypes, finite: NDArray[np.bool_]) -> pd.DataFrame:
    rows = np.zeros(len(pairs.variants), bool)
    rows[pairs.rows] = ~finite.all(axis=1)

    def detail(row: int) -> str:
        output = int(np.argmin(finite[np.searchsorted(pairs.rows, row)]))
        return (
            f"output {output} of the model is not a finite number for this variant: look for N in its "
            "windows and for a model that has diverged"
        )

    return judge(pairs.variants.copy(), Finding(rows, "failed", "prediction is not finite", detail))
