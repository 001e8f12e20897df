"""Variational autoencoders for counts."""

from genailab.generative.vae.bounds import elbo, importance_weighted_bound
from genailab.generative.vae.count_vae import CountVAE, CountVAEConfig
from genailab.generative.vae.likelihoods import (
    gaussian_log_prob,
    negative_binomial_log_likelihood,
    negative_binomial_log_prob,
    poisson_log_prob,
    zero_inflated_log_prob,
)

__all__ = [
    "CountVAE",
    "CountVAEConfig",
    "elbo",
    "gaussian_log_prob",
    "importance_weighted_bound",
    "negative_binomial_log_likelihood",
    "negative_binomial_log_prob",
    "poisson_log_prob",
    "zero_inflated_log_prob",
]
