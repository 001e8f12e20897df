"""Training: one function for every model."""

from genailab.training.adversarial import GAN_TRAINING, train_gan
from genailab.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from genailab.training.config import TrainConfig
from genailab.training.fit import fit, seeded
from genailab.training.history import History
from genailab.training.interrupt import Interrupted

__all__ = [
    "GAN_TRAINING",
    "Checkpoint",
    "History",
    "Interrupted",
    "TrainConfig",
    "fit",
    "load_checkpoint",
    "save_checkpoint",
    "seeded",
    "train_gan",
]
