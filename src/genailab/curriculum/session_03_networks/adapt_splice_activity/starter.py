"""s03.adapt Activity of splice sites. The lesson is in README.md; save this file to have it checked."""

import torch
import torch.nn as nn


def encode_sites(sites):
    """Return a float tensor (n, 4, 9) of 5' splice sites, texts of 9 letters; RNA's U is T."""
    # TODO: Implement, as in s01.1
    pass


class ActivityRegressor(nn.Module):
    """(n, 4, 9) -> one number a site, (n,). How many layers it has is up to you."""

    def __init__(self, hidden_size):
        super().__init__()
        # TODO: Adapt your PromoterClassifier: what must change at its end?

    def forward(self, x):
        # TODO: Implement
        pass


def fit_activity(sites, activity):
    """Return a model trained on n sites and their activity, a list of n numbers (log10 of percent).

    What predict_activity needs to know beside the weights can be an attribute of the model.
    """
    # TODO: Implement
    pass


def predict_activity(model, sites):
    """Return the predicted activity (n,) of sites, in the units of the measurement, without a graph."""
    # TODO: Implement
    pass
