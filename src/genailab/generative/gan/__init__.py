"""Generative adversarial networks: vectors, cells and sequences by one game of two players."""

from genailab.generative.gan.adversarial import AdversarialConfig, AdversarialModel, published_settings
from genailab.generative.gan.diagnostics import collapse, compare_batches, mode_coverage, near_modes
from genailab.generative.gan.expression_gan import ExpressionGAN, ExpressionGANConfig
from genailab.generative.gan.losses import critic_loss, generator_loss, gradient_penalty, r1_penalty
from genailab.generative.gan.networks import spectrally_normalised
from genailab.generative.gan.sequence_gan import SequenceGAN, SequenceGANConfig
from genailab.generative.gan.straight_through import draw_log_normalised, gumbel_softmax
from genailab.generative.gan.vector_gan import VectorGAN, VectorGANConfig

__all__ = [
    "AdversarialConfig",
    "AdversarialModel",
    "ExpressionGAN",
    "ExpressionGANConfig",
    "SequenceGAN",
    "SequenceGANConfig",
    "VectorGAN",
    "VectorGANConfig",
    "collapse",
    "compare_batches",
    "critic_loss",
    "draw_log_normalised",
    "generator_loss",
    "gradient_penalty",
    "gumbel_softmax",
    "mode_coverage",
    "near_modes",
    "published_settings",
    "r1_penalty",
    "spectrally_normalised",
]
