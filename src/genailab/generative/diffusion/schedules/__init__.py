"""Noise schedules, one curve a file; `make_schedule` makes one by its name with its usual settings."""

from __future__ import annotations

from genailab.errors import InputError, nearest
from genailab.generative.diffusion.schedules.base import (
    Schedule,
    VariancePreserving,
    check_schedule,
)
from genailab.generative.diffusion.schedules.cond_ot import CondOTSchedule
from genailab.generative.diffusion.schedules.cosine import CosineSchedule
from genailab.generative.diffusion.schedules.learned import LearnedSchedule
from genailab.generative.diffusion.schedules.linear import LinearSchedule
from genailab.generative.diffusion.schedules.log_linear import LogLinearSchedule
from genailab.generative.diffusion.schedules.sigmoid import SigmoidSchedule
from genailab.generative.diffusion.schedules.tabulated import TabulatedSchedule
from genailab.generative.diffusion.schedules.variance_exploding import EDMSchedule, VESchedule

__all__ = [
    "SCHEDULES",
    "CondOTSchedule",
    "CosineSchedule",
    "EDMSchedule",
    "LearnedSchedule",
    "LinearSchedule",
    "LogLinearSchedule",
    "Schedule",
    "SigmoidSchedule",
    "TabulatedSchedule",
    "VESchedule",
    "VariancePreserving",
    "check_schedule",
    "make_schedule",
]

# Two curves have two names each: the VP SDE is linear betas, the trigonometric interpolant is the cosine.
SCHEDULES: dict[str, type[Schedule]] = {
    "cond_ot": CondOTSchedule,
    "cosine": CosineSchedule,
    "edm": EDMSchedule,
    "learned": LearnedSchedule,
    "linear": LinearSchedule,
    "sigmoid": SigmoidSchedule,
    "trigonometric": CosineSchedule,
    "ve": VESchedule,
    "vp": LinearSchedule,
}


def make_schedule(name: str) -> Schedule:
    """Return the schedule of this name, a key of `SCHEDULES`, with its usual settings."""
    if name not in SCHEDULES:
        raise InputError(f"there is no noise schedule {name!r}: {nearest(name, SCHEDULES)}")
    return SCHEDULES[name]()
