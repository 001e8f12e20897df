"""What every model has: a loss, and a folder it is saved to and loaded from."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Self

from packaging.version import Version
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from genailab import __version__
from genailab.configuration import build
from genailab.errors import InputError

__all__ = ["Batch", "Loss", "Model", "evaluating"]

Batch = Mapping[str, Tensor]

WEIGHTS = "model.safetensors"
CONFIG = "config.json"


@dataclasses.dataclass(frozen=True)
class Loss:
    """What to minimise, a scalar tensor, and the named terms that it is made of (scalars, for the log)."""

    total: Tensor
    terms: Mapping[str, Tensor] = dataclasses.field(default_factory=dict)


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Switch to evaluation mode (no dropout, running statistics) and leave every part as it was."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


class Model(nn.Module):
    """An ``nn.Module`` with a configuration, a loss and a saved form without pickles.

    A subclass names its frozen configuration dataclass in ``config_class``, takes one in its constructor and
    defines ``loss(batch)``. The configuration carries what the weights mean: the order of the genes, the
    names of the labels, the hash of the split.
    """

    config_class: ClassVar[type]
    config: Any

    def loss(self, batch: Batch) -> Loss:
        """Return what training minimises on this batch, averaged over its rows."""
        raise NotImplementedError(f"{type(self).__name__} defines no loss")

    def parameter_groups(self, learning_rate: float) -> list[dict[str, Any]]:
        """Return what the optimiser trains: ``params`` of each group, and its own ``lr`` or ``betas``.

        One group of every parameter that requires a gradient, unless a model says otherwise: the players of
        a game learn at different rates. What a group does not name is the training's.
        """
        return [{"params": [parameter for parameter in self.parameters() if parameter.requires_grad]}]

    def save_pretrained(self, folder: str | Path) -> Path:
        """Write ``model.safetensors`` and ``config.json`` to ``folder``, made if need be."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        description = {
            "model": type(self).__name__,
            "genailab_version": __version__,
            "config": dataclasses.asdict(self.config),
        }
        weights = {name: tensor.contiguous() for name, tensor in self.state_dict().items()}
        _write_beside(folder / WEIGHTS, lambda path: save_file(weights, path))
        text = json.dumps(description, indent=2) + "\n"
        _write_beside(folder / CONFIG, lambda path: path.write_text(text))
        return folder

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> Self:
        """Load what ``save_pretrained`` wrote, in evaluation mode.

        Raises
        ------
        InputError
            If a file is missing or damaged, holds another model, comes from a newer version, or if weights
            and configuration do not fit each other. Pickled weights are refused: loading them can run code.
        """
        folder = Path(folder)
        description = _read_config(folder, cls.__name__)
        try:
            model = cls(build(cls.config_class, description["config"]))
        except InputError as error:
            raise InputError(f"{folder / CONFIG} does not describe a {cls.__name__}: {error}") from error
        try:
            model.load_state_dict(load_file(folder / WEIGHTS))
        except Exception as error:
            reason = " ".join(str(error).split())[:300]
            raise InputError(f"{folder / WEIGHTS} does not fit {folder / CONFIG}: {reason}") from error
        return model.eval()


def _read_config(folder: Path, model: str) -> dict[str, Any]:
    for name in (CONFIG, WEIGHTS):
        if not (folder / name).is_file():
            pickles = [
                path.name
                for suffix in ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
                for path in folder.glob(suffix)
            ]
            hint = f"; {pickles[0]!r} is a pickle, which could run code and is not loaded" if pickles else ""
            raise InputError(f"{folder} holds no {name}{hint}: give a folder that save_pretrained wrote")
    try:
        description = json.loads((folder / CONFIG).read_text())
        found, version = description["model"], description["genailab_version"]
        newer = Version(version).release[:2] > Version(__version__).release[:2]
        dict(description["config"])
    except (ValueError, KeyError, TypeError) as error:  # of JSON, of Unicode, of Version
        reason = " ".join(str(error).split())
        raise InputError(
            f"{folder / CONFIG} is not a configuration that save_pretrained wrote ({reason}): "
            "take the file from the original folder, or train the model again"
        ) from error
    if found != model:
        raise InputError(f"{folder} holds a {found}, not a {model}: load it with {found}.from_pretrained")
    if newer:
        raise InputError(
            f"{folder} was saved by genailab {version}, newer than this {__version__}: upgrade genailab"
        )
    return description


def _write_beside(path: Path, write: Callable[[Path], object]) -> None:
    # Written beside, then renamed: a full disk or a kill leaves the file of before, not half a new one.
    part = path.with_name(f".{path.name}.part")
    try:
        write(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
