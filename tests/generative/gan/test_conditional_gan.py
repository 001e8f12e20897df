"""Short trainings: what is generated is of the class that was asked for, and diverse within it."""

import torch

from genailab.data.rows import TensorRows
from genailab.generative.gan import SequenceGAN, SequenceGANConfig, VectorGAN, VectorGANConfig
from genailab.training import TrainConfig, fit, seeded


def train(model, *, max_epochs, learning_rate, **rows):
    torch.set_num_threads(1)
    config = TrainConfig(
        max_epochs=max_epochs, batch_size=50, learning_rate=learning_rate, ema_decay=0.9, device="cpu"
    )
    fit(model, TensorRows(**rows), config=config, show_progress=False)


def test_conditional_vectors_follow_the_class_that_is_asked_for():
    generator = torch.Generator().manual_seed(0)
    types = ("B", "NK", "T")
    centres = torch.tensor([[1.2, 0.0], [-0.6, 1.0], [-0.6, -1.0]])
    label = torch.arange(300) % 3
    x = centres[label] + 0.2 * torch.randn(300, 2, generator=generator)
    with seeded(0):
        model = VectorGAN(
            VectorGANConfig(n_dims=2, n_latent=4, width=32, depth=2, conditions={"cell_type": types})
        )
    train(model, x=x, cell_type=label, max_epochs=50, learning_rate=5e-3)
    for code, name in enumerate(types):
        drawn = model.sample(200, {"cell_type": name}, generator=generator)
        assert (torch.cdist(drawn, centres).argmin(dim=1) == code).float().mean() > 0.95
        assert (drawn.mean(dim=0) - centres[code]).norm() < 0.25
        assert 0.05 < drawn.std(dim=0).mean() < 0.4  # not collapsed onto the centre


def test_conditional_sequences_follow_the_class_that_is_asked_for():
    generator = torch.Generator().manual_seed(0)
    label = torch.arange(300) % 2
    motif = torch.tensor([[2, 0, 3, 0], [1, 1, 2, 2]], dtype=torch.uint8)  # GATA or CCGG in the middle
    codes = torch.randint(4, (300, 8), generator=generator).to(torch.uint8)
    codes[:, 2:6] = motif[label]
    sites = ("GATA", "CCGG")
    with seeded(0):
        model = SequenceGAN(
            SequenceGANConfig(
                length=8, n_latent=8, width=32, depth=1, n_channels=16, conditions={"site": sites}
            )
        )
    train(model, codes=codes, site=label, max_epochs=35, learning_rate=3e-3)
    for code, name in enumerate(sites):
        drawn = model.sample(200, {"site": name}, generator=generator)
        assert (drawn[:, 2:6] == motif[code]).all(dim=1).float().mean() > 0.6
        flanks = torch.stack([(drawn[:, [0, 1, 6, 7]] == letter).float().mean() for letter in range(4)])
        assert flanks.min() > 0.05
