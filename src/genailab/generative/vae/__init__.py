"""Variational autoencoders: of counts, of vectors and of sequences, and what can be done with a latent."""

from genailab.generative.vae.bounds import elbo, importance_weighted_bound
from genailab.generative.vae.collapse import LatentUse, active_units, encode_rows, latent_use, measure_use
from genailab.generative.vae.count_vae import CountVAE, CountVAEConfig
from genailab.generative.vae.counterfactuals import counterfactual, interpolate, traverse
from genailab.generative.vae.discriminator import LatentDiscriminator, permute_dimensions
from genailab.generative.vae.kl_parts import KLParts, decompose_kl, total_correlation
from genailab.generative.vae.kl_weight import KLSchedule, free_bits_kl
from genailab.generative.vae.likelihoods import (
    gaussian_log_prob,
    negative_binomial_log_likelihood,
    negative_binomial_log_prob,
    poisson_log_prob,
    zero_inflated_log_prob,
)
from genailab.generative.vae.posterior import Gaussian, Posterior
from genailab.generative.vae.sequence_vae import SequenceVAE, SequenceVAEConfig
from genailab.generative.vae.vae import VAE, VAEConfig

__all__ = [
    "VAE",
    "CountVAE",
    "CountVAEConfig",
    "Gaussian",
    "KLParts",
    "KLSchedule",
    "LatentDiscriminator",
    "LatentUse",
    "Posterior",
    "SequenceVAE",
    "SequenceVAEConfig",
    "VAEConfig",
    "active_units",
    "counterfactual",
    "decompose_kl",
    "elbo",
    "encode_rows",
    "free_bits_kl",
    "gaussian_log_prob",
    "importance_weighted_bound",
    "interpolate",
    "latent_use",
    "measure_use",
    "negative_binomial_log_likelihood",
    "negative_binomial_log_prob",
    "permute_dimensions",
    "poisson_log_prob",
    "total_correlation",
    "traverse",
    "zero_inflated_log_prob",
]
