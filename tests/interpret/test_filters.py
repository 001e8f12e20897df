"""A filter that is a motif is found to be that motif."""

import numpy as np
import pytest
import torch
from torch import nn

from genailab.data.motifs.motif import Motif
from genailab.data.motifs.motif_match import match_motifs
from genailab.data.sequences.encoding import encode, one_hot
from genailab.errors import InputError
from genailab.interpret import filters_to_motifs, insert_motif
from genailab.models.deepbind import DeepBind, DeepBindConfig
from genailab.models.motif_cnn import MotifCNN, MotifCNNConfig


def random_codes(batch: int, length: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(
        0, 4, (batch, length), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8
    )


def letters_of(motif: str) -> torch.Tensor:
    return one_hot(motif)[0]


def detector(*words: str, padding: int = 0) -> nn.Sequential:
    conv = nn.Conv1d(4, len(words), len(words[0]), padding=padding)
    conv.weight.data = torch.stack([letters_of(word) for word in words])
    conv.bias.data.fill_(0.5 - len(words[0]))
    return nn.Sequential(conv, nn.ReLU())


@pytest.mark.parametrize("padding", [0, 3])
def test_sites_are_counted_where_they_lie(padding):
    codes = encode(["TTACGTACCTT" + "T" * 5, "ACGTACC" + "T" * 9, "T" * 9 + "ACGTACC", "T" * 16])
    found = filters_to_motifs(detector("ACGTACC", "GGGGGGG", padding=padding), codes, batch_size=3)
    assert [motif.name for motif in found] == ["filter 0", "filter 1"]
    np.testing.assert_array_equal(found[0].counts, 3 * letters_of("ACGTACC"))
    assert found[0].n_sites == 3
    assert found[1].n_sites == 0


def test_the_motif_of_an_additive_filter_is_its_letters_in_order_of_weight():
    conv = nn.Conv1d(4, 1, 6)
    weight = torch.randn(4, 6, generator=torch.Generator().manual_seed(3))
    conv.weight.data, conv.bias.data = weight[None], torch.zeros(1)
    motif = filters_to_motifs(conv, random_codes(500, 60))[0]
    strong = weight.amax(dim=0) - weight.topk(2, dim=0).values[1] > 0.5
    chosen = torch.tensor(motif.counts).argmax(dim=0)
    assert torch.equal(chosen[strong], weight.argmax(dim=0)[strong])


def test_a_higher_threshold_keeps_fewer_sites():
    model, codes = detector("ACGTAC"), random_codes(300, 80)
    model[0].bias.data.fill_(-1)
    few, many = (filters_to_motifs(model, codes, threshold=t)[0] for t in (0.8, 0.3))
    assert 0 < few.n_sites < many.n_sites
    assert few.information().sum() > many.information().sum()


@pytest.mark.parametrize("strands", ["given", "max"])
def test_filters_of_our_models_match_the_motif_they_were_given(strands):
    targets = [
        Motif(name=f"t{seed}", counts=np.random.default_rng(seed).gamma(0.3, 20, (4, 9)))
        for seed in range(40)
    ]
    x = torch.cat([insert_motif(one_hot(random_codes(40, 60, seed)), targets[7]) for seed in range(2)])
    deepbind = DeepBind(DeepBindConfig(window=60, n_detectors=4, detector_length=13, strands=strands)).eval()
    deepbind.start_from([targets[7].log_odds().clip(-4)])
    cnn = MotifCNN(MotifCNNConfig(window=60, n_filters=4, filter_length=13, strands=strands)).eval()
    cnn.filters.weight.data[0] = deepbind.filters.weight.data[0]
    for model in (deepbind, cnn):
        motif = filters_to_motifs(model, x)[0]
        assert match_motifs(motif, targets).iloc[0]["motif"] == "t7"


def test_what_is_no_first_layer_is_refused():
    codes = random_codes(2, 30)
    with pytest.raises(InputError, match="does not start with a convolution"):
        filters_to_motifs(nn.Conv1d(4, 2, 5, stride=2), codes)
    with pytest.raises(InputError, match="before any pooling"):
        filters_to_motifs(nn.Sequential(nn.Conv1d(4, 2, 5), nn.MaxPool1d(2)), codes)
    with pytest.raises(InputError, match=r"threshold 1\.5"):
        filters_to_motifs(nn.Conv1d(4, 2, 5), codes, threshold=1.5)
