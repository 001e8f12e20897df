"""Layers that several models share."""

from genailab.nn.conditioning import FiLM, OneHot
from genailab.nn.feedforward import feedforward
from genailab.nn.model import Batch, Loss, Model, evaluating
from genailab.nn.time import FourierTime

__all__ = ["Batch", "FiLM", "FourierTime", "Loss", "Model", "OneHot", "evaluating", "feedforward"]
