"""Laws of k-mers and their tokens: numbers name words, counts add up, strands agree, tokens read back."""

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.data.sequences.alphabet import PROTEIN
from genailab.data.sequences.encoding import encode
from genailab.data.sequences.kmer_tokenizer import KmerTokenizer
from genailab.data.sequences.kmers import kmer_counts, kmer_names, kmers
from genailab.data.sequences.reverse_complement import reverse_complement
from genailab.errors import InputError

few = settings(max_examples=50, deadline=None)
text = st.text("ACGTN", min_size=5, max_size=40)


@given(text, st.integers(1, 5))
@few
def test_each_number_names_the_word_that_begins_there(sequence, k):
    names = [*kmer_names(k), None]
    words = [sequence[i : i + k] for i in range(len(sequence) - k + 1)]
    expected = [None if "N" in word else word for word in words]
    assert [names[number] for number in kmers(encode(sequence), k).tolist()] == expected


@given(st.lists(text, min_size=1, max_size=3), st.integers(1, 4))
@few
def test_counts_are_those_of_counting_words(texts, k):
    names, counts = kmer_names(k), kmer_counts(encode(texts), k)
    assert counts.shape == (len(texts), len(names))
    for sequence, row in zip(texts, counts.tolist(), strict=True):
        words = Counter(sequence[i : i + k] for i in range(len(sequence) - k + 1))
        assert {name: n for name, n in zip(names, row, strict=True) if n} == {
            word: n for word, n in words.items() if "N" not in word
        }


@given(text, st.integers(1, 4))
@few
def test_the_other_strand_has_the_reverse_complements_and_the_same_canonical_words(sequence, k):
    codes = encode([sequence])
    counts, others = kmer_counts(codes, k)[0], kmer_counts(reverse_complement(codes), k)[0]
    of_name = dict(zip(kmer_names(k), others.tolist(), strict=True))
    assert counts.tolist() == [of_name[reverse_complement(name)] for name in kmer_names(k)]
    canonical = kmer_counts(codes, k, canonical=True)
    assert torch.equal(canonical, kmer_counts(reverse_complement(codes), k, canonical=True))
    assert canonical.sum() == counts.sum()


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_canonical_words_are_one_of_each_pair(k):
    names = kmer_names(k, canonical=True)
    palindromes = 4 ** (k // 2) if k % 2 == 0 else 0
    assert len(names) == (4**k + palindromes) // 2
    assert all(name <= reverse_complement(name) for name in names)
    # Each name's own count lies in its own column.
    assert torch.equal(kmer_counts(encode(names), k, canonical=True), torch.eye(len(names), dtype=torch.long))


def test_words_of_proteins_and_of_thirty_one_letters():
    assert kmers(encode("CAA", alphabet=PROTEIN), 2, alphabet=PROTEIN).tolist() == [20, 0]
    assert kmers(encode("T" * 31), 31).tolist() == [4**31 - 1]
    assert kmer_names(2, alphabet=PROTEIN)[21] == "CC"


@given(
    st.lists(st.text("ACGT", min_size=1, max_size=30), min_size=1, max_size=4),
    st.integers(1, 4),
    st.integers(1, 4),
    st.booleans(),
)
@few
def test_tokens_read_back_as_the_text_up_to_its_last_whole_word(texts, k, stride, open_with_cls):
    if stride > k or max(map(len, texts)) < k:
        return
    tokenizer = KmerTokenizer(k=k, stride=stride, open_with_cls=open_with_cls)
    tokens, mask = tokenizer.encode(texts)
    n_words = [max(0, (len(one) - k) // stride + 1) for one in texts]
    assert (mask.sum(dim=1) - int(open_with_cls)).tolist() == n_words
    assert torch.equal(mask, tokens != tokenizer.pad)
    whole = [k + stride * (n - 1) if n else 0 for n in n_words]
    assert tokenizer.decode(tokens) == [one[:end] for one, end in zip(texts, whole, strict=True)]


def test_tokens_name_their_words():
    tokenizer = KmerTokenizer(k=2, open_with_cls=True)
    tokens, _ = tokenizer.encode(["ACGNT", "AC"])
    words = [[tokenizer.vocabulary[token] for token in row] for row in tokens.tolist()]
    assert words == [["[CLS]", "AC", "CG", "[UNK]", "[UNK]"], ["[CLS]", "AC", "[PAD]", "[PAD]", "[PAD]"]]
    assert len(tokenizer.vocabulary) == tokenizer.n_tokens == 4 + 16
    assert len(set(tokenizer.vocabulary)) == tokenizer.n_tokens


def test_hidden_words_read_as_unknown_unless_a_neighbour_tells():
    tokenizer = KmerTokenizer(k=3, stride=3)
    tokens, _ = tokenizer.encode(["ACGTTTCCC"])
    tokens[0, 1] = tokenizer.mask
    assert tokenizer.decode(tokens) == ["ACGNNNCCC"]
    overlapping = KmerTokenizer(k=3)
    tokens, _ = overlapping.encode(["ACGTTTCCC"])
    tokens[0, 3] = overlapping.mask
    assert overlapping.decode(tokens) == ["ACGTTTCCC"]


def test_codes_with_lengths_are_as_texts():
    tokenizer = KmerTokenizer(k=3)
    texts = ["ACGTTTCCC", "ACGT"]
    for codes in (encode(texts), encode(texts).long()):
        tokens, mask = tokenizer.encode(codes, lengths=torch.tensor([9, 4]))
        assert torch.equal(tokens, tokenizer.encode(texts)[0])
        assert torch.equal(mask, tokenizer.encode(texts)[1])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kmers(encode("ACG"), 4), "no word of 4 letters in sequences of 3"),
        (lambda: kmers(encode("ACG"), 0), "at least 1 .* got k=0"),
        (lambda: kmers(encode("A" * 40), 32), "fit into 64 bits, got k=32"),
        (lambda: kmers(torch.zeros(3), 1), "integer codes, got torch.float32"),
        (lambda: kmer_counts(encode("ACG"), 1), r"takes codes \(batch, length\), got \(3,\)"),
        (lambda: KmerTokenizer(k=3, stride=4), "stride must be between 1 and k=3, got 4"),
        (lambda: KmerTokenizer(k=0), "stride must be between 1 and k=0"),
        (lambda: KmerTokenizer(alphabet="dna"), "alphabet 'dna' is not known: did you mean 'DNA'"),
    ],
)
def test_what_has_no_words_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_codes_below_zero_are_unknown_letters():
    filled = torch.tensor([[0, 1, -100, 2, 3]])
    assert kmers(filled, 2).tolist() == kmers(encode(["ACNGT"]), 2).tolist()
    assert torch.equal(
        kmer_counts(filled, 2, canonical=True), kmer_counts(encode(["ACNGT"]), 2, canonical=True)
    )


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: kmers("ACGT", 2), "got a str: encode"),
        (lambda: kmer_counts("ACGT", 2), "got a str: encode"),
        (lambda: kmers(encode("ACGT"), 2.0), "k must be a whole number"),
        (lambda: kmer_names(-1), "k must be a whole number"),
        (lambda: kmer_counts(encode(["A" * 40]), 20), "take a smaller k"),
    ],
)
def test_what_gives_no_kmers_is_refused_in_a_sentence(call, words):
    with pytest.raises(InputError, match=words):
        call()
