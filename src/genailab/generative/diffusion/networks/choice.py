"""A network for sequences by its name, for models that let their configuration choose."""

from __future__ import annotations

from typing import Literal, get_args

from genailab.errors import InputError, nearest
from genailab.generative.diffusion.networks.sequence import SequenceNetwork
from genailab.generative.diffusion.networks.transformer import SequenceTransformer
from genailab.generative.diffusion.networks.unet import UNet1d
from genailab.nn.conditioning import Categories

__all__ = ["SEQUENCE_NETWORKS", "SequenceNetworkName", "make_sequence_network"]

SequenceNetworkName = Literal["unet", "transformer"]
SEQUENCE_NETWORKS: tuple[SequenceNetworkName, ...] = get_args(SequenceNetworkName)


def make_sequence_network(
    name: SequenceNetworkName,
    channels_in: int,
    channels_out: int,
    categories: Categories,
    *,
    width: int,
    depth: int,
    n_heads: int = 4,
    dropout: float = 0.0,
) -> SequenceNetwork:
    """Return a `UNet1d` or a `SequenceTransformer`, whose depth is halvings or blocks.

    Raises
    ------
    InputError
        If there is no such network, or the width does not suit the heads of a transformer.
    """
    if name == "unet":
        return UNet1d(channels_in, channels_out, categories, width=width, depth=depth, dropout=dropout)
    if name == "transformer":
        return SequenceTransformer(
            channels_in, channels_out, categories, width=width, depth=depth, n_heads=n_heads, dropout=dropout
        )
    raise InputError(f"there is no network {name!r} for sequences: {nearest(str(name), SEQUENCE_NETWORKS)}")
