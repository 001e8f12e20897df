"""Diffusion over letters: uniform and absorbing noise, D3PM's bound, masked diffusion, samplers."""

from genailab.generative.diffusion.discrete.d3pm import d3pm_terms, transition_divergence
from genailab.generative.diffusion.discrete.denoisers import (
    LetterDenoiser,
    guided,
    nucleus,
    restricted,
    tempered,
)
from genailab.generative.diffusion.discrete.masked import bound_by_count, bound_in_time
from genailab.generative.diffusion.discrete.process import DiscreteProcess, draw
from genailab.generative.diffusion.discrete.samplers import ancestral, falling_times, unmask
from genailab.generative.diffusion.discrete.sequence_diffusion import (
    DiscreteDiffusion,
    DiscreteDiffusionConfig,
    SequenceBound,
)

__all__ = [
    "DiscreteDiffusion",
    "DiscreteDiffusionConfig",
    "DiscreteProcess",
    "LetterDenoiser",
    "SequenceBound",
    "ancestral",
    "bound_by_count",
    "bound_in_time",
    "d3pm_terms",
    "draw",
    "falling_times",
    "guided",
    "nucleus",
    "restricted",
    "tempered",
    "transition_divergence",
    "unmask",
]
