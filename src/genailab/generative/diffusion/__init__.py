"""Diffusion models, made of stateless pieces: schedule, process, prediction, objective and sampler."""

from genailab.generative.diffusion.analog_bits import AnalogBitsDiffusion, AnalogBitsDiffusionConfig
from genailab.generative.diffusion.bits import from_bits, letter_bits, to_bits
from genailab.generative.diffusion.clamping import clamped, inpainting, repaint
from genailab.generative.diffusion.coupling import (
    condition_aware,
    independent,
    minibatch_optimal_transport,
)
from genailab.generative.diffusion.dirichlet import DirichletPath
from genailab.generative.diffusion.dirichlet_diffusion import DirichletDiffusion, DirichletDiffusionConfig
from genailab.generative.diffusion.discrete import (
    DiscreteDiffusion,
    DiscreteDiffusionConfig,
    DiscreteProcess,
)
from genailab.generative.diffusion.gaussian import GaussianDiffusion, GaussianDiffusionConfig
from genailab.generative.diffusion.guidance import (
    between_times,
    classifier_free,
    classifier_guided,
    composed,
    rescaled,
)
from genailab.generative.diffusion.latent import LatentDiffusion, LatentDiffusionConfig
from genailab.generative.diffusion.likelihood import log_likelihood
from genailab.generative.diffusion.networks import ResidualDenoiser, SequenceTransformer, UNet1d
from genailab.generative.diffusion.objective import DenoisingObjective
from genailab.generative.diffusion.parametrised import Parametrised
from genailab.generative.diffusion.preconditioning import EDMPreconditioning
from genailab.generative.diffusion.prediction import convert, from_x0, to_eps, to_x0
from genailab.generative.diffusion.process import GaussianProcess
from genailab.generative.diffusion.samplers import (
    adaptive_ode,
    ddim,
    ddpm,
    dpm_solver_2m,
    euler,
    euler_maruyama,
    get_sampler,
    heun,
    predictor_corrector,
    time_grid,
)
from genailab.generative.diffusion.schedules import (
    CondOTSchedule,
    CosineSchedule,
    EDMSchedule,
    LearnedSchedule,
    LinearSchedule,
    LogLinearSchedule,
    Schedule,
    SigmoidSchedule,
    TabulatedSchedule,
    VariancePreserving,
    VESchedule,
    check_schedule,
    make_schedule,
)
from genailab.generative.diffusion.score_matching import (
    denoising_score_matching,
    explicit_score_matching,
    implicit_score_matching,
    sliced_score_matching,
    trace_of_jacobian,
)
from genailab.generative.diffusion.self_conditioning import first_guess, self_conditioning
from genailab.generative.diffusion.weighting import loss_weight
from genailab.generative.latent_cells import LatentCells

__all__ = [
    "AnalogBitsDiffusion",
    "AnalogBitsDiffusionConfig",
    "CondOTSchedule",
    "CosineSchedule",
    "DenoisingObjective",
    "DirichletDiffusion",
    "DirichletDiffusionConfig",
    "DirichletPath",
    "DiscreteDiffusion",
    "DiscreteDiffusionConfig",
    "DiscreteProcess",
    "EDMPreconditioning",
    "EDMSchedule",
    "GaussianDiffusion",
    "GaussianDiffusionConfig",
    "GaussianProcess",
    "LatentCells",
    "LatentDiffusion",
    "LatentDiffusionConfig",
    "LearnedSchedule",
    "LinearSchedule",
    "LogLinearSchedule",
    "Parametrised",
    "ResidualDenoiser",
    "Schedule",
    "SequenceTransformer",
    "SigmoidSchedule",
    "TabulatedSchedule",
    "UNet1d",
    "VESchedule",
    "VariancePreserving",
    "adaptive_ode",
    "between_times",
    "check_schedule",
    "clamped",
    "classifier_free",
    "classifier_guided",
    "composed",
    "condition_aware",
    "convert",
    "ddim",
    "ddpm",
    "denoising_score_matching",
    "dpm_solver_2m",
    "euler",
    "euler_maruyama",
    "explicit_score_matching",
    "first_guess",
    "from_bits",
    "from_x0",
    "get_sampler",
    "heun",
    "implicit_score_matching",
    "independent",
    "inpainting",
    "letter_bits",
    "log_likelihood",
    "loss_weight",
    "make_schedule",
    "minibatch_optimal_transport",
    "predictor_corrector",
    "repaint",
    "rescaled",
    "self_conditioning",
    "sliced_score_matching",
    "time_grid",
    "to_bits",
    "to_eps",
    "to_x0",
    "trace_of_jacobian",
]
