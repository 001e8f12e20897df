"""Paths of Dirichlet distributions on the simplex, from any composition of letters to one letter.

    x ~ Dirichlet(1 + c e_i),     c = 0 is noise, uniform on the simplex; large c is letter i

A position flows along ``dx/dc = sum_i p(i | x, c) C(x_i, c) (e_i - x)``, with

    C(x, c) = - dI_x(c + 1, K - 1)/da  B(c + 1, K - 1) / (x^c (1 - x)^(K - 1))

for K letters, where I is the regularised incomplete beta function, differentiated by its first argument, and
B the beta function. Stark et al. 2024, "Dirichlet Flow Matching with Applications to DNA Sequence Design",
section 3. On a straight line from noise to a corner the letter is certain from halfway on; here every point
of the simplex stays possible at every time.

As K - 1 is a whole number, ``I_x(a, b) = x^a sum_{j<b} (a)_j / j! (1 - x)^j``, and C needs no special
function: the sum and its derivative are polynomials, and where they cancel, near x = 1, so are their tails.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from genailab.errors import InputError

__all__ = ["DirichletPath"]

# From states (batch, n_letters, length) and the concentration to probabilities of the letters, of that shape.
Denoiser = Callable[[Tensor, float], Tensor]


@dataclass(frozen=True, kw_only=True)
class DirichletPath:
    """Noise and velocity of sequences of ``n_letters`` letters; states are ``(batch, n_letters, length)``.

    Examples
    --------
    >>> path = DirichletPath(n_letters=4)
    >>> round(path.speed(torch.tensor(1.0), 0.0).item(), 4)  # (1 + 1/2 + 1/3) / 3
    0.6111
    """

    n_letters: int

    def __post_init__(self) -> None:
        if self.n_letters < 2:
            raise InputError(f"{self.n_letters} letters can carry no sequence: give at least 2")

    def pure_noise(
        self,
        n: int,
        length: int,
        *,
        generator: torch.Generator | None = None,
        device: torch.device | str = "cpu",
    ) -> Tensor:
        """Return points uniform on the simplex, ``(n, n_letters, length)``."""
        return _uniform(n, self.n_letters, length, generator=generator, device=device)

    def noisy(
        self, codes: Tensor, concentration: Tensor, *, generator: torch.Generator | None = None
    ) -> Tensor:
        """Draw from ``Dirichlet(1 + c e_code)`` at each position: ``(batch, n_letters, length)``.

        ``codes`` are ``(batch, length)`` and ``concentration`` c ``(batch,)``. The letter's share is
        Beta(c + 1, K - 1), which is a product of powers of K - 1 uniform numbers; the others share the rest
        evenly at random.
        """
        n, length = codes.shape
        u = torch.rand(n, self.n_letters - 1, length, generator=generator, device=codes.device)
        powers = concentration[:, None] + torch.arange(1, self.n_letters, device=codes.device)
        share = (u.clamp(min=1e-30).log() / powers[:, :, None]).sum(dim=1, keepdim=True).exp()
        rest = _uniform(n, self.n_letters - 1, length, generator=generator, device=codes.device)
        parts = torch.cat([share, (1 - share) * rest], dim=1)  # the letter of the code first
        letters = torch.arange(self.n_letters, device=codes.device)[:, None]
        code = codes.long()[:, None]  # (batch, 1, length)
        source = torch.where(letters == code, 0, torch.where(letters < code, letters + 1, letters))
        return parts.gather(1, source)

    def velocity(self, x: Tensor, probabilities: Tensor, concentration: float) -> Tensor:
        """Return dx/dc, shape of ``x``, where the letters of the data have these probabilities."""
        pull = probabilities * self.speed(x, concentration).to(x.dtype)  # (batch, n_letters, length)
        return pull - pull.sum(dim=1, keepdim=True) * x

    def flow(self, denoiser: Denoiser, x: Tensor, concentrations: Tensor) -> Tensor:
        """Follow the velocity from c of ``concentrations[0]`` to that of the last, ``(steps + 1,)``, rising.

        Euler steps: C is below 1, so that steps below 1 cannot leave the simplex.

        Parameters
        ----------
        denoiser
            From states ``(batch, n_letters, length)`` and c, a number, to the probabilities of the letters of
            the data, of the same shape.
        x
            States at the first concentration.
        concentrations
            Rising values of c.
        """
        values = concentrations.tolist()
        for now, then in pairwise(values):
            x = x + (then - now) * self.velocity(x, denoiser(x, now), now)
        return x

    def speed(self, x: Tensor, concentration: float) -> Tensor:
        """Return ``C(x, c)``, in float64: how fast a share x of a letter moves to that letter."""
        a, b = concentration + 1.0, self.n_letters - 1
        x = x.double().clamp(1e-30, 1)
        y, log_x = 1 - x, x.log()
        # The first terms cancel where y is small, the others, which sum to about x^-a, where a y is large.
        # Those of the tail that count fall by half or faster.
        turn = min(0.5, 10 / a)
        value, slope = _coefficients(a, b + 48 + 4 * math.ceil(a))
        near = y.clamp(max=turn)
        head = _polynomial(value[:b], y) * log_x + _polynomial(slope[:b], y)
        tail = _polynomial(value[b:], near) * log_x + _polynomial(slope[b:], near)
        log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
        return math.exp(log_beta) * x * torch.where(y > turn, -head / y.clamp(min=turn) ** b, tail)


def _uniform(
    n: int, k: int, length: int, *, generator: torch.Generator | None, device: torch.device | str
) -> Tensor:
    exponential = -torch.rand(n, k, length, generator=generator, device=device).clamp(min=1e-30).log()
    return exponential / exponential.sum(dim=1, keepdim=True)


def _coefficients(a: float, n: int) -> tuple[list[float], list[float]]:
    """Return ``(a)_j / j!`` for j below n, and their derivatives by a."""
    value, slope, harmonic = [1.0], [0.0], 0.0
    for j in range(1, n):
        harmonic += 1 / (a + j - 1)
        value.append(value[-1] * (a + j - 1) / j)
        slope.append(value[-1] * harmonic)
    return value, slope


def _polynomial(coefficients: list[float], y: Tensor) -> Tensor:
    result = torch.zeros_like(y)
    for coefficient in reversed(coefficients):
        result.mul_(y).add_(coefficient)
    return result
