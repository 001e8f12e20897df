"""Noise for letters: each position keeps its letter or is replaced, on its own.

    q(x_t | x_0) = alpha_t x_0 + (1 - alpha_t) pi
    q(x_t | x_s) = r x_s + (1 - r) pi,                     r = alpha_t / alpha_s

with x as one-hot columns and ``pi`` what a replaced letter is drawn from: any letter alike (uniform), or the
mask (absorbing). ``alpha`` falls from 1 at t = 0 to 0 at t = 1. With a posterior of the data, ``p(x_0 |
x_t)``, a step back is known by Bayes::

    p(x_s | x_t) = sum over x_0 of  q(x_s | x_t, x_0) p(x_0 | x_t)
    q(x_s | x_t, x_0) = q(x_t | x_s) q(x_s | x_0) / q(x_t | x_0)

Austin et al. 2021, "Structured Denoising Diffusion Models in Discrete State-Spaces" (D3PM), equation 3 and
appendix A.2; in continuous time Sahoo et al. 2024, "Simple and Effective Masked Diffusion Language Models",
section 3. D3PM's equation 4 sums the joint
``q(x_s, x_t | x_0)`` over what the network says of the other positions; that is the sum above with what this
position says itself put in: ``p(x_0 | x_t)`` in proportion to ``q(x_t | x_0)`` times the network's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor
from torch.nn.functional import one_hot, pad

from genailab.errors import InputError
from genailab.generative.diffusion.process import beside

__all__ = ["DiscreteProcess", "KeepSchedule", "Noise", "draw"]

Noise = Literal["absorbing", "uniform"]


class KeepSchedule(Protocol):
    """The share of letters that are still there at time t, elementwise: from 1 at t = 0 to 0 at t = 1."""

    def alpha(self, t: Tensor) -> Tensor:
        """Return the share kept."""
        ...

    def alpha_derivative(self, t: Tensor) -> Tensor:
        """Return d alpha / dt, negative."""
        ...


@dataclass(frozen=True)
class DiscreteProcess:
    """Uniform or absorbing noise on sequences of ``n_letters`` different letters.

    States are uint8 ``(batch, length)``: codes of letters, and with absorbing noise the mask, whose code is
    ``n_letters``, that of the alphabet's unknown letter. Times are scalars or ``(batch,)``, in [0, 1].

    Raises
    ------
    InputError
        If there are fewer than two letters, the noise is unknown, the schedule does not go from 1 to 0, or a
        time lies outside [0, 1].

    Examples
    --------
    >>> from genailab.generative.diffusion.schedules import LogLinearSchedule
    >>> process = DiscreteProcess(4, "absorbing", LogLinearSchedule())
    >>> process.matrix(torch.tensor(0.0), torch.tensor(0.25))[0]
    tensor([0.7500, 0.0000, 0.0000, 0.0000, 0.2500])
    """

    n_letters: int
    noise: Noise
    schedule: KeepSchedule

    def __post_init__(self) -> None:
        if self.n_letters < 2:
            raise InputError(f"{self.n_letters} letters can carry no sequence: give at least 2")
        if self.noise not in ("absorbing", "uniform"):
            raise InputError(f"noise is {self.noise!r}: choose absorbing or uniform")
        ends = self.schedule.alpha(torch.tensor([0.0, 1.0], dtype=torch.float64))
        if not torch.allclose(ends, torch.tensor([1.0, 0.0], dtype=ends.dtype), atol=1e-6, rtol=0):
            raise InputError(
                f"the schedule keeps {ends[0]:.4g} of the letters at t = 0 and {ends[1]:.4g} at t = 1: it "
                "must go from 1 to 0, as LogLinearSchedule() does"
            )

    @property
    def n_states(self) -> int:
        """Letters, and the mask where there is one."""
        return self.n_letters + (self.noise == "absorbing")

    @property
    def mask(self) -> int | None:
        """The code of the mask; None with uniform noise."""
        return self.n_letters if self.noise == "absorbing" else None

    def stationary(self, like: Tensor) -> Tensor:
        """Return ``pi``, ``(n_states,)``, of the type and on the device of ``like``."""
        if self.mask is None:
            return like.new_full((self.n_states,), 1 / self.n_states)
        return one_hot(torch.tensor(self.mask), self.n_states).to(like)

    def matrix(self, s: Tensor, t: Tensor) -> Tensor:
        """Return ``q(x_t | x_s)`` for ``s <= t``, ``(..., n_states, n_states)``, from row to column."""
        kept = self._kept(s, t)[..., None, None]
        pi = self.stationary(kept)
        return kept * torch.eye(self.n_states).to(kept) + (1 - kept) * pi

    def pure_noise(
        self,
        n: int,
        length: int,
        *,
        generator: torch.Generator | None = None,
        device: torch.device | str = "cpu",
    ) -> Tensor:
        """Return states at t = 1, uint8 ``(n, length)``."""
        if self.mask is not None:
            return torch.full((n, length), self.mask, dtype=torch.uint8, device=device)
        letters = torch.randint(self.n_letters, (n, length), generator=generator, device=device)
        return letters.to(torch.uint8)

    def corrupt(self, codes: Tensor, t: Tensor, *, generator: torch.Generator | None = None) -> Tensor:
        """Draw from ``q(x_t | x_0)``: uint8 codes ``(batch, length)`` to states of the same shape."""
        alpha = beside(self.alpha(t), codes)
        kept = torch.rand(codes.shape, generator=generator, device=codes.device) < alpha
        if self.mask is not None:
            return torch.where(kept, codes, self.mask)
        other = torch.randint(self.n_letters, codes.shape, generator=generator, device=codes.device)
        return torch.where(kept, codes, other.to(codes.dtype))

    def evidence(self, x_t: Tensor, t: Tensor) -> Tensor:
        """Return ``q(x_t | x_0)`` for each letter that x_0 may be, ``(batch, n_letters, length)``."""
        here = one_hot(x_t.long(), self.n_states).movedim(-1, 1)  # (batch, n_states, length)
        alpha = beside(self.alpha(t), here)
        return alpha * here[:, : self.n_letters] + (1 - alpha) * self.stationary(alpha)[x_t.long()][:, None]

    def step_back(self, x_t: Tensor, x0: Tensor, s: Tensor, t: Tensor) -> Tensor:
        """Return ``p(x_s | x_t)`` for ``s < t``, probabilities ``(batch, n_states, length)``.

        Parameters
        ----------
        x_t
            States, uint8 ``(batch, length)``.
        x0
            Probabilities of the letters, ``(batch, n_letters, length)``: the network's for ``p(x_s | x_t)``,
            one-hot data for ``q(x_s | x_t, x_0)``. Where absorbing noise left a letter it is the data,
            whatever ``x0`` says.
        s, t
            Times, scalar or ``(batch,)``.
        """
        kept = beside(self._kept(s, t), x0)
        alpha_s = beside(self.alpha(s), x0)
        pi = self.stationary(x0)
        here = one_hot(x_t.long(), self.n_states).movedim(-1, 1).to(x0)  # (batch, n_states, length)
        pi_here = pi[x_t.long()][:, None]  # (batch, 1, length)
        evidence = self.evidence(x_t, t).to(x0)
        share = torch.where(evidence > 0, x0 / evidence.clamp(min=torch.finfo(x0.dtype).tiny), 0.0)
        before = alpha_s * pad(share, (0, 0, 0, self.n_states - self.n_letters))
        before = before + (1 - alpha_s) * pi[:, None] * share.sum(dim=1, keepdim=True)
        back = (kept * here + (1 - kept) * pi_here) * before  # (batch, n_states, length)
        # A letter that absorbing noise left is the data, also at t = 1 where none should be: a template's.
        return back if self.mask is None else torch.where((x_t == self.mask)[:, None], back, here)

    def alpha(self, t: Tensor) -> Tensor:
        """Return the share of letters kept at time t."""
        if ((t < 0) | (t > 1)).any():
            raise InputError(f"diffusion time {float(t[(t < 0) | (t > 1)][0]):.4g} is outside [0, 1]")
        return self.schedule.alpha(t)

    def _kept(self, s: Tensor, t: Tensor) -> Tensor:
        return self.alpha(t) / self.alpha(s)


def draw(probabilities: Tensor, *, generator: torch.Generator | None = None) -> Tensor:
    """Draw a state at each position: ``(batch, n_states, length)`` to uint8 ``(batch, length)``.

    Rows need not be normalised. The race of exponential clocks is run in float64: in float32 rare letters
    would come up too seldom (Zheng et al. 2024, "Masked Diffusion Models are Secretly Time-Agnostic Masked
    Models").
    """
    clocks = torch.empty_like(probabilities, dtype=torch.float64).exponential_(generator=generator)
    return (probabilities / clocks).argmax(dim=1).to(torch.uint8)
