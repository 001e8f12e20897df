"""Networks that predict noise, data or velocity from noisy samples, the time and a condition.

All are called as ``network(x, t, codes)``; ``codes`` of each covariate are ``(batch,)``, and None asks for
the unconditional prediction. `ResidualDenoiser` takes vectors, `UNet1d` and `SequenceTransformer` take
sequences of any length.
"""

from genailab.generative.diffusion.networks.choice import (
    SEQUENCE_NETWORKS,
    SequenceNetworkName,
    make_sequence_network,
)
from genailab.generative.diffusion.networks.context import Conditioned
from genailab.generative.diffusion.networks.residual import ResidualDenoiser
from genailab.generative.diffusion.networks.sequence import SequenceNetwork
from genailab.generative.diffusion.networks.transformer import SequenceTransformer
from genailab.generative.diffusion.networks.unet import UNet1d

__all__ = [
    "SEQUENCE_NETWORKS",
    "Conditioned",
    "ResidualDenoiser",
    "SequenceNetwork",
    "SequenceNetworkName",
    "SequenceTransformer",
    "UNet1d",
    "make_sequence_network",
]
