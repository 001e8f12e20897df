"""From a network's raw output to a prediction: what it is fed, and what its output is multiplied with.

A network learns best from inputs and targets of about unit size. Where a schedule does not preserve variance
its input is divided by ``sqrt(alpha^2 + sigma^2)``; for the score its output is divided by sigma, the score's
own scale (Song et al. 2021, appendix C); ``edm`` is the preconditioning of Karras et al. 2022.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from torch import Tensor

from genailab.generative.diffusion.preconditioning import EDMPreconditioning
from genailab.generative.diffusion.prediction import Prediction, beside, convert
from genailab.generative.diffusion.schedules import Schedule, VariancePreserving
from genailab.generative.diffusion.weighting import Weighting

__all__ = ["PARAMETRISATIONS", "Parametrisation", "Parametrised"]

Parametrisation = Literal["eps", "x0", "v", "score", "velocity", "edm"]
PARAMETRISATIONS: tuple[Parametrisation, ...] = get_args(Parametrisation)

# Called as network(x, t, codes): noisy samples (batch, ...), times, and codes or None for no condition.
ConditionalNetwork = Callable[[Tensor, Tensor, Mapping[str, Tensor] | None], Tensor]


@dataclass(frozen=True)
class Parametrised:
    """How a network's output is to be read under this schedule; called with a network and its codes.

    Examples
    --------
    >>> import torch
    >>> from genailab.generative.diffusion.schedules import CosineSchedule
    >>> silent = Parametrised(CosineSchedule(), "eps").denoiser(lambda x, t, codes: 0 * x, None)
    >>> silent(torch.ones(1, 2), torch.tensor(0.5)).shape  # x / alpha: what x_0 is if there is no noise
    torch.Size([1, 2])
    """

    schedule: Schedule
    kind: Parametrisation = "v"
    sigma_data: float = 1.0

    @property
    def prediction(self) -> Prediction:
        """What comes out: the kind itself; for ``edm``, whose network's output has no name, the data."""
        return "x0" if self.kind == "edm" else self.kind

    def weighting(self, weighting: Weighting) -> Weighting:
        """Return the weighting of the prediction: 1 on the output of an ``edm`` network is ``edm`` on x_0."""
        return "edm" if self.kind == "edm" and weighting == "simple" else weighting

    def __call__(
        self, network: ConditionalNetwork, codes: Mapping[str, Tensor] | None
    ) -> Callable[[Tensor, Tensor], Tensor]:
        """Return the function from noisy samples ``(batch, ...)`` and times to the prediction."""
        if self.kind == "edm":
            edm = EDMPreconditioning(schedule=self.schedule, sigma_data=self.sigma_data)
            return edm(lambda x, t: network(x, t, codes))

        def predict(x: Tensor, t: Tensor) -> Tensor:
            output = network(self._unit_variance(x, t), t, codes)
            return output / beside(self.schedule.sigma(t), x) if self.kind == "score" else output

        return predict

    def denoiser(
        self, network: ConditionalNetwork, codes: Mapping[str, Tensor] | None
    ) -> Callable[[Tensor, Tensor], Tensor]:
        """Return the function from noisy samples and times to the estimated data."""
        predict = self(network, codes)

        def denoise(x: Tensor, t: Tensor) -> Tensor:
            return convert(predict(x, t), x, t, self.schedule, kind=self.prediction, to="x0")

        return denoise

    def _unit_variance(self, x: Tensor, t: Tensor) -> Tensor:
        if isinstance(self.schedule, VariancePreserving):
            return x
        spread = (self.schedule.alpha(t).square() + self.schedule.sigma(t).square()).sqrt()
        return x / beside(spread, x)
