"""SpliceAI: how likely each base of a transcript is a splice donor or an acceptor.

    in        one-hot -> 32 channels, 1x1                                        (batch, 32, length + context)
    groups    4 x 4 residual blocks; kernels 11, 11, 21, 41, dilations 1, 4, 10, 25
    skips     a 1x1 convolution of the input and of each group's output, summed
    out       cropped by half the context on both sides, 1x1 -> 3 logits         (batch, 3, length)

Each residual block widens what a base sees by ``2 * dilation * (kernel - 1)``, so the four groups together
see 10,000 neighbours: 5,000 on either side. Jaganathan et al. 2019, "Predicting splicing from primary
sequence with deep learning", figure 1 and S1 (SpliceAI-10k), written from the paper. The trained weights come
with the ``spliceai`` package (code GPL-3, models CC BY-NC 4.0): this project holds none of them and reads
what the user has installed.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from genailab.data.sequences.alphabet import DNA
from genailab.errors import InputError
from genailab.nn.checks import check_at_least_one, check_one_hot, one_hot_of
from genailab.nn.convolution import ResidualDilatedBlock
from genailab.nn.model import Batch, Loss, Model, evaluating
from genailab.nn.tasks import task_loss

__all__ = ["CLASSES", "SpliceAI", "SpliceAIConfig", "load_spliceai", "splice_probabilities"]

CLASSES = ("neither", "acceptor", "donor")  # the order of the three outputs
FOLDER = "GENAILAB_SPLICEAI"  # environment variable that says where the Keras weights are


@dataclass(frozen=True, kw_only=True)
class SpliceAIConfig:
    """Size of a SpliceAI model; the defaults are the paper's SpliceAI-10k."""

    kernels: tuple[int, ...] = (11, 11, 21, 41)  # one a group, W in the paper
    dilations: tuple[int, ...] = (1, 4, 10, 25)  # one a group, AR in the paper; the first 1, 2, 3 groups
    n_blocks: int = 4  # residual blocks a group          alone are SpliceAI-80nt, -400nt and -2k
    n_channels: int = 32

    def __post_init__(self) -> None:
        check_at_least_one(self, "kernels", "dilations", "n_blocks", "n_channels")
        if len(self.kernels) != len(self.dilations) or not self.kernels:
            raise InputError(
                f"there are {len(self.kernels)} kernels and {len(self.dilations)} dilations: "
                "give one of each a group"
            )
        if any(kernel % 2 == 0 for kernel in self.kernels):
            raise InputError(f"kernels is {self.kernels}: give odd lengths, so that a kernel has a middle")

    @property
    def context(self) -> int:
        """Neighbours that a prediction depends on, half of them on each side; 10,000 by default."""
        groups = zip(self.kernels, self.dilations, strict=True)
        return sum(self.n_blocks * 2 * dilation * (kernel - 1) for kernel, dilation in groups)


class SpliceAI(Model):
    """Dilated residual network over long sequences; see the module for the shapes.

    ``forward`` takes one-hot ``(batch, 4, length + context)`` of the transcribed strand, with zeros for N and
    beyond the transcript's ends, and returns logits ``(batch, 3, length)`` in the order of `CLASSES`: output
    i is about input ``i + context / 2``. A donor is the last base of an exon, an acceptor the first of the
    next. Batches hold ``codes``, uint8 ``(batch, length + context)``, and ``label``, long
    ``(batch, length)``.

    Raises
    ------
    InputError
        If the sequences are not longer than the context, or the codes not uint8.

    Examples
    --------
    >>> model = SpliceAI(SpliceAIConfig(kernels=(11,), dilations=(1,)))  # SpliceAI-80nt
    >>> model.config.context, model(torch.zeros(2, 4, 100)).shape
    (80, torch.Size([2, 3, 20]))
    """

    config_class = SpliceAIConfig
    config: SpliceAIConfig

    def __init__(self, config: SpliceAIConfig | None = None) -> None:
        super().__init__()
        self.config = c = config or SpliceAIConfig()
        n = c.n_channels
        self.stem = nn.Conv1d(4, n, 1)
        self.stem_skip = nn.Conv1d(n, n, 1)
        self.groups = nn.ModuleList(
            nn.Sequential(*[_block(n, kernel, dilation) for _ in range(c.n_blocks)])
            for kernel, dilation in zip(c.kernels, c.dilations, strict=True)
        )
        self.skips = nn.ModuleList(nn.Conv1d(n, n, 1) for _ in self.groups)
        self.out = nn.Conv1d(n, len(CLASSES), 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits ``(batch, 3, length)`` for the bases that have half the context on both sides."""
        check_one_hot(x, channels=4, window=None)
        context = self.config.context
        if x.shape[2] <= context:
            raise InputError(
                f"the sequences are {x.shape[2]} long, but this model needs {context // 2} bases on both "
                f"sides of each prediction: give at least {context + 1}, filled with N beyond the ends"
            )
        hidden = self.stem(x)  # (batch, n_channels, length + context)
        total = self.stem_skip(hidden)
        for group, skip in zip(self.groups, self.skips, strict=True):
            hidden = group(hidden)
            total = total + skip(hidden)
        return self.out(total[:, :, context // 2 : x.shape[2] - context // 2])  # (batch, 3, length)

    def loss(self, batch: Batch) -> Loss:
        """Return the cross-entropy over all positions whose label is not -100."""
        return task_loss(self(one_hot_of(batch, alphabet="DNA", window=None)), batch, "classes")


def _block(n_channels: int, kernel: int, dilation: int) -> ResidualDilatedBlock:
    # Keras' batch normalisation adds 0.001 to the variance, and keeps 0.99 of the running statistics.
    return ResidualDilatedBlock(n_channels, kernel, dilation=dilation, eps=1e-3, momentum=0.01)


@torch.no_grad()
def splice_probabilities(models: Sequence[SpliceAI], codes: Tensor, *, block: int = 5000) -> Tensor:
    """Average the models' probabilities along sequences of any length: ``(batch, 3, length)``.

    Parameters
    ----------
    models
        One or several with the same context, as `load_spliceai` gives them.
    codes
        uint8 ``(batch, length)`` of the transcribed strand (`reverse_complement` for genes on the other);
        what lies beyond the ends counts as N. For the paper's scores give the whole transcript.
    block
        Positions predicted at a time. Memory and time per position depend on it, the result doesn't: a
        block of 5,000 reads 15,000 bases.

    Raises
    ------
    InputError
        If there are no models, their contexts differ, or the codes are not uint8 ``(batch, length)``.
    """
    contexts = {model.config.context for model in models}
    if len(contexts) != 1:
        raise InputError(f"{len(models)} models with contexts {sorted(contexts)}: give models of one context")
    half = contexts.pop() // 2
    if block < 1:
        raise InputError(f"block is {block}: it must be at least 1")
    if codes.dtype != torch.uint8 or codes.dim() != 2:
        raise InputError(
            f"codes are {codes.dtype} of shape {tuple(codes.shape)}, expected uint8 (batch, length)"
        )
    length = codes.shape[1]
    padded = nn.functional.pad(codes, (half, half), value=DNA.size)  # N
    parts = [
        _mean_probabilities(models, padded[:, start : min(start + block, length) + 2 * half])
        for start in range(0, length, block)
    ]
    return torch.cat(parts, dim=2) if parts else codes.new_zeros(len(codes), 3, 0, dtype=torch.float32)


def _mean_probabilities(models: Sequence[SpliceAI], codes: Tensor) -> Tensor:
    device = models[0].stem.weight.device
    x = one_hot_of({"codes": codes.to(device)}, alphabet="DNA", window=None)
    total: Tensor | float = 0.0
    for model in models:
        with evaluating(model):
            total = total + model(x).softmax(dim=1)
    return total / len(models)  # type: ignore[return-value]


# --- weights of the spliceai package ---------------------------------------------------------------------


def load_spliceai(folder: str | Path | None = None) -> tuple[SpliceAI, ...]:
    """Load the five trained models of a user-installed ``spliceai`` package, in evaluation mode.

    Only numbers are read, through h5py: neither the package nor TensorFlow is imported.

    Parameters
    ----------
    folder
        Where ``spliceai1.h5`` to ``spliceai5.h5`` lie; by default the environment variable
        ``GENAILAB_SPLICEAI``, else the ``models`` folder of the installed package.

    Raises
    ------
    InputError
        If the files are not found, h5py is missing, or a file holds another network.
    """
    place = _weights_folder(folder)
    files = sorted(place.glob("spliceai[1-9].h5"))
    if not files:
        raise InputError(
            f"{place} holds no spliceai1.h5 to spliceai5.h5: install the package that has them (pip install "
            f"--no-deps spliceai), or give their folder with {FOLDER}"
        )
    return tuple(_read_keras(path) for path in files)


def _weights_folder(folder: str | Path | None) -> Path:
    named = folder or os.environ.get(FOLDER)
    if named:
        return Path(named)
    package = importlib.util.find_spec("spliceai")  # finds it without importing it
    if package is None or not package.submodule_search_locations:
        raise InputError(
            "the package spliceai is not installed: pip install --no-deps spliceai (its weights are for "
            f"academic and non-commercial use), or give the folder of its .h5 files with {FOLDER}"
        )
    return Path(package.submodule_search_locations[0]) / "models"


def _read_keras(path: Path) -> SpliceAI:
    try:
        import h5py
    except ImportError as error:
        raise InputError("reading Keras weights needs h5py: pip install h5py") from error
    model = SpliceAI(SpliceAIConfig())
    try:
        with h5py.File(path) as file:
            _copy_weights(model, file["model_weights"])
    except (OSError, KeyError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path} does not hold the weights of SpliceAI-10k: {reason}") from error
    return model.eval()


def _copy_weights(model: SpliceAI, layers: Any) -> None:
    """Fill the model from Keras' layers, which are numbered in the order in which the network was built."""
    convolutions, norms = _in_build_order(model)
    for number, convolution in enumerate(convolutions, start=1):
        name = f"conv1d_{number}"
        values = layers[name][name]
        # Keras holds (kernel, in, out), torch (out, in, kernel).
        kernel = torch.from_numpy(values["kernel:0"][:]).permute(2, 1, 0)
        convolution.load_state_dict({"weight": kernel, "bias": torch.from_numpy(values["bias:0"][:])})
    for number, norm in enumerate(norms, start=1):
        name = f"batch_normalization_{number}"
        values = layers[name][name]
        keras_names = {
            "weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"
        }  # fmt: skip
        state = {ours: torch.from_numpy(values[f"{theirs}:0"][:]) for ours, theirs in keras_names.items()}
        norm.load_state_dict(state | {"num_batches_tracked": torch.tensor(0)})


def _in_build_order(model: SpliceAI) -> tuple[list[nn.Module], list[nn.Module]]:
    convolutions: list[nn.Module] = [model.stem, model.stem_skip]
    norms: list[nn.Module] = []
    for group, skip in zip(model.groups, model.skips, strict=True):
        for block in group:  # type: ignore[attr-defined]
            convolutions += [block.conv1, block.conv2]
            norms += [block.norm1, block.norm2]
        convolutions.append(skip)
    return [*convolutions, model.out], norms
