"""Diffusion models, made of stateless pieces: schedule, process, prediction, objective and sampler."""

from genailab.generative.diffusion.gaussian import GaussianDiffusion, GaussianDiffusionConfig
from genailab.generative.diffusion.guidance import classifier_free
from genailab.generative.diffusion.latent import LatentCells, LatentDiffusion, LatentDiffusionConfig
from genailab.generative.diffusion.objective import DenoisingObjective
from genailab.generative.diffusion.prediction import from_x0, to_eps, to_x0
from genailab.generative.diffusion.process import GaussianProcess
from genailab.generative.diffusion.samplers import ddim, ddpm, dpm_solver_2m, time_grid
from genailab.generative.diffusion.schedules import CosineSchedule, LinearSchedule, Schedule

__all__ = [
    "CosineSchedule",
    "DenoisingObjective",
    "GaussianDiffusion",
    "GaussianDiffusionConfig",
    "GaussianProcess",
    "LatentCells",
    "LatentDiffusion",
    "LatentDiffusionConfig",
    "LinearSchedule",
    "Schedule",
    "classifier_free",
    "ddim",
    "ddpm",
    "dpm_solver_2m",
    "from_x0",
    "time_grid",
    "to_eps",
    "to_x0",
]
