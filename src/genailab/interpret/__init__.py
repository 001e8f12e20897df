"""What a model rests its predictions on: attributions, substitutions, learned motifs, attention.

Each function takes a model, or any function, from one-hot sequences ``(batch, 4, length)`` to outputs, and
leaves the model as it was. Names load when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genailab.interpret.attention import attention_maps
    from genailab.interpret.attribution import gradient_x_input, input_gradients, integrated_gradients
    from genailab.interpret.filters import filters_to_motifs
    from genailab.interpret.logos import plot_logo
    from genailab.interpret.marginalisation import Marginalisation, insert_motif, marginalise
    from genailab.interpret.mutagenesis import Mutagenesis, in_silico_mutagenesis
    from genailab.interpret.outputs import predict
    from genailab.interpret.plots import (
        plot_attention,
        plot_attribution,
        plot_marginalisation,
        plot_mutagenesis,
    )

__all__ = [
    "Marginalisation",
    "Mutagenesis",
    "attention_maps",
    "filters_to_motifs",
    "gradient_x_input",
    "in_silico_mutagenesis",
    "input_gradients",
    "insert_motif",
    "integrated_gradients",
    "marginalise",
    "plot_attention",
    "plot_attribution",
    "plot_logo",
    "plot_marginalisation",
    "plot_mutagenesis",
    "predict",
]

_MODULE_OF = {
    "Marginalisation": "marginalisation",
    "Mutagenesis": "mutagenesis",
    "attention_maps": "attention",
    "filters_to_motifs": "filters",
    "gradient_x_input": "attribution",
    "in_silico_mutagenesis": "mutagenesis",
    "input_gradients": "attribution",
    "insert_motif": "marginalisation",
    "integrated_gradients": "attribution",
    "marginalise": "marginalisation",
    "plot_attention": "plots",
    "plot_attribution": "plots",
    "plot_logo": "logos",
    "plot_marginalisation": "plots",
    "plot_mutagenesis": "plots",
    "predict": "outputs",
}


def __getattr__(name: str) -> Any:
    if name in _MODULE_OF:
        return getattr(importlib.import_module(f"genailab.interpret.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module 'genailab.interpret' has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
