"""Laws of a comparison of generated sequences: real ones reach the ceiling, copies and shuffles do not."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from genailab.data.bundled.sequence_sets import load_splice_site_activity
from genailab.data.motifs.jaspar import read_jaspar
from genailab.data.sequences.alphabet import PROTEIN
from genailab.data.sequences.encoding import decode, encode
from genailab.data.sequences.reverse_complement import reverse_complement
from genailab.errors import InputError
from genailab.evaluation.generated_sequences.comparison import SequenceComparison
from genailab.evaluation.generated_sequences.options import SequenceOptions, SequencePredictors
from genailab.evaluation.generated_sequences.verdict import sequence_verdict
from genailab.evaluation.metrics import GENERATED_SEQUENCE_METRICS, METRICS, metric_named
from genailab.evaluation.scores import Score

QUICK = SequenceOptions(n_bootstrap=30, n_trees=5, n_folds=3, k=(3, 4))


def promoters(n: int, seed: int) -> tuple[torch.Tensor, list[str]]:
    """Sequences of 60 letters, half with a GATA site and half with an E-box, at random places."""
    generator = np.random.default_rng(seed)
    codes = generator.integers(0, 4, (n, 60)).astype(np.uint8)
    labels = np.where(np.arange(n) % 2, "gata", "ebox")
    for row, (label, start) in enumerate(zip(labels, generator.integers(0, 48, n), strict=True)):
        site = "AGATAAGGCC" if label == "gata" else "GCAGCTGTTC"
        codes[row, start : start + 10] = encode(site).numpy()
    return torch.from_numpy(codes), labels.tolist()


def by_metric(scores, subject=None):
    return {score.metric: score for score in scores if subject in (None, score.subject)}


@pytest.fixture(scope="module")
def motifs():
    names = ("GATA1", "TCF3", "SP1", "MYOD1", "CTCF", "GATA2", "Ascl2", "TFAP4", "GATA3", "MYOG")
    return [motif for name in names for motif in read_jaspar(name=name)]


@pytest.fixture(scope="module")
def comparison(motifs):
    real, labels = promoters(200, 0)
    train, train_labels = promoters(500, 1)
    return SequenceComparison.fit(
        real, train=train, labels=labels, train_labels=train_labels, motifs=motifs, options=QUICK
    )


@pytest.fixture(scope="module")
def ceiling(comparison):
    return by_metric(comparison.ceiling())


def test_fresh_real_sequences_are_at_the_ceiling(comparison, ceiling):
    codes, labels = promoters(200, 2)
    found = by_metric(comparison.compare(codes, subject="fresh", labels=labels))
    assert set(found) == set(ceiling)
    for name, score in found.items():
        best = ceiling[name]
        assert score.ci_low - 0.06 <= best.value <= score.ci_high + 0.06, name
    assert abs(found["logistic AUROC"].value - 0.5) < 0.1
    assert found["class fidelity"].value > 0.8


@pytest.mark.parametrize("strand", [lambda codes: codes, reverse_complement], ids=["forward", "reverse"])
def test_a_copy_of_the_training_set_is_called_one_on_either_strand(comparison, strand):
    copies = strand(comparison.train.codes[:200])
    scores = comparison.compare(copies, subject="generated")
    found = by_metric(scores)
    assert found["exact-copy rate"].value == 1
    assert found["novelty ratio"].value == 0
    verdict = sequence_verdict([*scores, *comparison.ceiling()])
    assert verdict.startswith("WARNING: 100.0% of the sequences of generated are training sequences")


def test_baselines_have_the_classes_and_lose_the_motifs(comparison, ceiling):
    scores = comparison.baselines()
    subjects = list(dict.fromkeys(score.subject for score in scores))
    assert [name.split(" (")[0] for name in subjects] == ["Markov", "shuffled pairs", "position weights"]
    for subject in subjects:
        found = by_metric(scores, subject)
        assert found["motif rate correlation"].value < ceiling["motif rate correlation"].value
        assert "class fidelity" in found
        assert found["exact-copy rate"].value == 0
    mixed = by_metric(scores, "shuffled pairs")
    assert mixed["motif rate correlation"].ci_high < ceiling["motif rate correlation"].ci_low
    assert mixed["class fidelity"].ci_high < ceiling["class fidelity"].ci_low


def test_asking_for_the_other_class_is_not_obeyed(comparison):
    codes, labels = promoters(200, 3)
    swapped = ["ebox" if label == "gata" else "gata" for label in labels]
    right = by_metric(comparison.compare(codes, subject="a", labels=labels))["class fidelity"]
    wrong = by_metric(comparison.compare(codes, subject="b", labels=swapped))["class fidelity"]
    assert right.value == pytest.approx(1 - wrong.value)
    assert right.ci_low > 0.8


def test_every_score_says_its_space_and_has_its_value_in_its_interval(comparison, ceiling):
    for score in ceiling.values():
        assert score.ci_low <= score.value <= score.ci_high
        assert "200 held-out and 200 training sequences of 60 letters" in score.space
        assert score.better == metric_named(score.metric).better
        assert score.n == 200


def test_the_same_seed_gives_the_same_scores_whatever_was_scored_before(comparison):
    codes, _ = promoters(200, 4)
    once = comparison.compare(codes, subject="x")
    comparison.compare(codes[::2], subject="half")
    state = torch.random.get_rng_state()
    assert comparison.compare(codes, subject="x") == once
    assert torch.equal(state, torch.random.get_rng_state())


def test_text_and_codes_are_scored_alike():
    real, train, made = (promoters(n, seed)[0] for n, seed in ((60, 0), (120, 1), (60, 2)))
    as_codes = SequenceComparison.fit(real, train=train, options=QUICK).compare(made, subject="x")
    as_text = SequenceComparison.fit(decode(real), train=decode(train), options=QUICK)
    assert as_text.compare(decode(made), subject="x") == as_codes


def test_lengths_count_where_they_differ():
    generator = np.random.default_rng(0)

    def ragged(n: int, longest: int) -> list[str]:
        return [
            "".join(generator.choice(list("ACGT"), size))
            for size in generator.integers(longest - 20, longest, n)
        ]

    comparison = SequenceComparison.fit(ragged(80, 60), train=ragged(200, 60), options=QUICK)
    alike = by_metric(comparison.compare(ragged(80, 60), subject="a"))
    longer = by_metric(comparison.compare(ragged(80, 81), subject="b"))
    assert alike["length KS"].value < 0.3
    assert longer["length KS"].value == pytest.approx(1)
    assert "edit distance" in alike["novelty ratio"].space
    assert "position weights" not in {score.subject for score in comparison.baselines()}


def test_predictors_judge_in_their_own_space(motifs):
    real, train = promoters(200, 0)[0], promoters(400, 1)[0]
    predictors = SequencePredictors(
        embed=lambda codes: (codes[..., None] == torch.arange(3)).float().mean(dim=1),
        activity=lambda codes: (codes == 1).sum(dim=1),
        attribute=lambda codes: (codes == 1).float(),
        classify=lambda codes: ["gc" if row else "at" for row in (codes == 1).sum(dim=1) > 15],
    )
    comparison = SequenceComparison.fit(real, train=train, predictors=predictors, options=QUICK)
    rich = torch.where(torch.rand(real.shape, generator=torch.Generator().manual_seed(0)) < 0.3, 1, real)
    alike = by_metric(comparison.compare(promoters(200, 2)[0], subject="a"))
    other = by_metric(comparison.compare(rich.to(torch.uint8), subject="b", labels=["gc"] * 200))
    for name in ("Frechet distance", "activity KS", "activity Wasserstein"):
        assert other[name].ci_low > alike[name].ci_high
    assert alike["attribution correlation"].value > 0.99
    assert other["class fidelity"].value > 0.9


def test_a_predictor_that_gives_no_number_or_another_shape_is_named():
    real, train = promoters(40, 0)[0], promoters(100, 1)[0]
    for predictor, message in (
        (lambda codes: codes[:3].float().mean(dim=1), r"'activity' gives shape \(3,\) for 40 sequences"),
        (lambda codes: np.full(len(codes), np.nan), "'activity' gives no finite value for sequence 0"),
    ):
        found = SequenceComparison.fit(
            real, train=train, predictors=SequencePredictors(activity=predictor), options=QUICK
        )
        with pytest.raises(InputError, match=message):
            found.compare(real, subject="x")


def test_proteins_are_compared_by_words_and_validity():
    generator = np.random.default_rng(0)

    def proteins(n: int) -> list[str]:
        return ["M" + "".join(generator.choice(list(PROTEIN.letters), 30)) for _ in range(n)]

    quick = SequenceOptions(n_bootstrap=10, n_trees=0)
    comparison = SequenceComparison.fit(proteins(60), train=proteins(150), alphabet=PROTEIN, options=quick)
    broken = ["A" + text[1:] for text in proteins(60)]
    found = by_metric(comparison.compare(proteins(60), subject="a"))
    assert found["valid proteins"].value == 1
    assert by_metric(comparison.compare(broken, subject="b"))["valid proteins"].value == 0
    assert "GC KS" not in found
    assert {"1-mer distance", "2-mer correlation", "3-mer distance"} <= set(found)


def test_on_real_splice_sites_fresh_ones_pass_and_shuffled_ones_do_not():
    sites = load_splice_site_activity()
    part, generator = sites.table["part"].to_numpy(), np.random.default_rng(0)
    rows = {name: generator.permutation(np.flatnonzero(part == name)) for name in ("train", "valid", "test")}
    comparison = SequenceComparison.fit(
        sites.codes[rows["test"][:500]],
        train=sites.codes[rows["train"][:3000]],
        options=SequenceOptions(n_bootstrap=30, n_trees=0, k=(3, 6)),
    )
    real = by_metric(comparison.compare(sites.codes[rows["valid"][:500]], subject="real"))
    mixed = by_metric(comparison.baselines(), "shuffled pairs")
    assert real["logistic AUROC"].value == pytest.approx(0.5, abs=0.07)
    assert mixed["logistic AUROC"].ci_low > 0.8  # GT or GC begins every intron
    assert mixed["6-mer distance"].ci_low > real["6-mer distance"].ci_high


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"real": torch.zeros(3, 60, dtype=torch.uint8)}, "3 held-out sequences, but at least 10"),
        ({"train_labels": None}, "the training sequences have no labels"),
        (
            {"labels": ["gata", "ebocks"] * 20},
            "no training sequence has: did you mean 'ebox'",
        ),
        ({"labels": ["gata"]}, "1 labels for 40 held-out"),
    ],
)
def test_what_cannot_be_compared_is_refused(change, message):
    real, labels = promoters(40, 0)
    train, train_labels = promoters(100, 1)
    given = {"real": real, "train": train, "labels": labels, "train_labels": train_labels} | change
    with pytest.raises(InputError, match=message):
        SequenceComparison.fit(given.pop("real"), **given)


def test_names_of_metrics_are_unique_and_explained():
    every = [*METRICS, *GENERATED_SEQUENCE_METRICS]
    assert len({metric.name for metric in every}) == len(every)
    assert all(len(metric.meaning) > 30 and not metric.meaning.endswith(".") for metric in every)


def test_options_out_of_range_are_refused():
    for options, message in (({"n_folds": 1}, "n_folds is 1"), ({"k": (3, 9)}, "k has 9")):
        with pytest.raises(InputError, match=message):
            SequenceOptions(**options)


@pytest.mark.parametrize(("copied", "warned"), [(0.0025, False), (0.05, True)])
def test_a_copy_is_no_alarm_where_as_many_could_hide_among_the_real_ones(copied, warned):
    # None of 400 real sequences is a copy: that leaves room for three.
    def score(subject, value, low, high):
        fields = {"better": "lower", "space": "", "n": 400}
        return Score(
            metric="exact-copy rate", subject=subject, value=value, ci_low=low, ci_high=high, **fields
        )

    scores = [score("generated", copied, 0.8 * copied, 1.2 * copied), score("ceiling", 0.0, 0.0, 0.0)]
    assert sequence_verdict(scores, model="generated").startswith("WARNING") is warned
