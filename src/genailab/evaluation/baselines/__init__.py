"""The strongest simple generators of counts, which a model has to beat to be worth its training."""

from genailab.evaluation.baselines.gaussian_copula import GaussianCopula
from genailab.evaluation.baselines.independent_nb import IndependentNB

__all__ = ["GaussianCopula", "IndependentNB"]
