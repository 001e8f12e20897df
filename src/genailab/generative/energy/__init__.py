"""Energy-based models: networks and losses, the samplers they need, and what scores can tell."""

from genailab.generative.energy.boltzmann import (
    boltzmann_log_probabilities,
    boltzmann_probabilities,
    entropy,
    expectation,
    free_energy,
    heat_capacity,
    kl_divergence,
    log_partition_function,
)
from genailab.generative.energy.contrastive_divergence import contrastive_divergence
from genailab.generative.energy.denoising_score_matching import (
    denoising_score_matching,
    energy_denoising_score_matching,
)
from genailab.generative.energy.energies import Energy, Score, energy_and_score, score_of
from genailab.generative.energy.energy_model import EnergyModel, EnergyModelConfig
from genailab.generative.energy.gibbs import gibbs, gibbs_with_gradients
from genailab.generative.energy.hmc import hmc, leapfrog
from genailab.generative.energy.langevin import annealed_langevin, mala, noise_levels, ula
from genailab.generative.energy.letters import enumerate_sequences, hot_letters
from genailab.generative.energy.metropolis import Moves
from genailab.generative.energy.mixture import GaussianMixture
from genailab.generative.energy.networks import SequenceEnergy, VectorEnergy
from genailab.generative.energy.noise_contrastive import noise_contrastive
from genailab.generative.energy.partition import (
    LogPartition,
    annealed_importance_sampling,
    effective_sample_size,
    enumerated_log_partition,
    gibbs_transition,
    hmc_transition,
    log_mean_exp_interval,
)
from genailab.generative.energy.persistent_chains import PersistentChains
from genailab.generative.energy.scores import (
    fisher_divergence,
    fisher_information,
    kernel_stein_discrepancy,
    median_distance,
    tweedie,
)
from genailab.generative.energy.sequence_energy_model import SequenceEnergyModel, SequenceEnergyModelConfig

__all__ = [
    "Energy",
    "EnergyModel",
    "EnergyModelConfig",
    "GaussianMixture",
    "LogPartition",
    "Moves",
    "PersistentChains",
    "Score",
    "SequenceEnergy",
    "SequenceEnergyModel",
    "SequenceEnergyModelConfig",
    "VectorEnergy",
    "annealed_importance_sampling",
    "annealed_langevin",
    "boltzmann_log_probabilities",
    "boltzmann_probabilities",
    "contrastive_divergence",
    "denoising_score_matching",
    "effective_sample_size",
    "energy_and_score",
    "energy_denoising_score_matching",
    "entropy",
    "enumerate_sequences",
    "enumerated_log_partition",
    "expectation",
    "fisher_divergence",
    "fisher_information",
    "free_energy",
    "gibbs",
    "gibbs_transition",
    "gibbs_with_gradients",
    "heat_capacity",
    "hmc",
    "hmc_transition",
    "hot_letters",
    "kernel_stein_discrepancy",
    "kl_divergence",
    "leapfrog",
    "log_mean_exp_interval",
    "log_partition_function",
    "mala",
    "median_distance",
    "noise_contrastive",
    "noise_levels",
    "score_of",
    "tweedie",
    "ula",
]
