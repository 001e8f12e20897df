"""Laws of the normal form: one for each change, the leftmost and shortest, found again by brute force."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_genome import TextGenome, splice, table_of

from genailab.data.variants.left_align import left_align, trim
from genailab.errors import InputError

# Few letters in short contigs: every repeat that can trouble an indel occurs.
contigs = st.text("AC", min_size=2, max_size=14) | st.text("ACG", min_size=2, max_size=20)


def normal_of(text, *spellings):
    table = table_of(*(("c", *spelling) for spelling in spellings)).assign(contig="c", status="ok")
    found = left_align(table, TextGenome(c=text))
    return list(zip(found["normal_position"], found["normal_ref"], found["normal_alt"], strict=True))


@st.composite
def changes(draw):
    """A contig and a change of it, as a file may spell it: with any padding."""
    text = draw(contigs)
    start = draw(st.integers(0, len(text) - 1))
    end = draw(st.integers(start + 1, min(len(text), start + 6)))
    alt = draw(st.text("ACG", min_size=1, max_size=6).filter(lambda alt: alt != text[start:end]))
    return text, (start + 1, text[start:end], alt)


def every_spelling(text, changed):
    """All (position, ref, alt) with bases in both alleles that turn one contig into the other."""
    for start in range(len(text)):
        for end in range(start + 1, len(text) + 1):
            size = end - start + len(changed) - len(text)
            alt = changed[start : start + max(size, 0)]
            if size >= 1 and text[:start] + alt + text[end:] == changed:
                yield start + 1, text[start:end], alt


@given(changes())
@settings(max_examples=50, deadline=None)
def test_every_spelling_of_a_change_has_one_normal_form_the_leftmost_of_the_shortest(change):
    text, spelling = change
    spellings = list(every_spelling(text, splice(text, *spelling)))
    assert spelling in spellings
    shortest = min(len(ref) + len(alt) for _, ref, alt in spellings)
    expected = min(one for one in spellings if len(one[1]) + len(one[2]) == shortest)
    assert set(normal_of(text, *spellings)) == {expected}


@given(changes())
@settings(max_examples=50, deadline=None)
def test_the_normal_form_is_the_same_change_and_its_own_normal_form(change):
    text, spelling = change
    [normal] = normal_of(text, spelling)
    assert splice(text, *normal) == splice(text, *spelling)
    assert normal_of(text, normal) == [normal]


@pytest.mark.parametrize(
    ("text", "written", "normal"),
    [
        # Figure 1 of the paper: a CA repeat, one unit less, in five spellings of which the last is normal.
        ("GGGCACACACAGGG", (8, "CAC", "C"), (3, "GCA", "G")),
        ("GGGCACACACAGGG", (6, "CACA", "CA"), (3, "GCA", "G")),
        ("GGGCACACACAGGG", (2, "GGCA", "GG"), (3, "GCA", "G")),
        ("AAAA", (3, "AA", "A"), (1, "AA", "A")),  # nothing before it: the base after stands in
        ("AAAA", (4, "A", "AA"), (1, "A", "AA")),
        ("NNNNA", (3, "NNA", "A"), (1, "NNN", "N")),  # not on into the N beyond the contig
        ("ACGT", (2, "CG", "CT"), (3, "G", "T")),
        ("ACGT", (2, "CG", "TGA"), (2, "CG", "TGA")),
    ],
)
def test_known_cases(text, written, normal):
    assert normal_of(text, written) == [normal]


@pytest.mark.parametrize("length", [2, 63, 64, 65, 66, 127, 128, 129, 130, 200])
def test_one_base_of_a_long_run_is_taken_from_its_beginning(length):
    text = "TTTG" + "A" * length + "T"
    last = length + 3
    assert normal_of(text, (last, "AA", "A"), (last + 1, "A", "AA")) == [(4, "GA", "G"), (4, "G", "GA")]


@pytest.mark.parametrize("units", [31, 32, 33, 64, 200])
def test_a_repeat_longer_than_what_is_looked_at_in_one_step_is_crossed(units):
    text = "TTTG" + "CA" * units + "T"
    at_end = 2 * units + 2
    assert normal_of(text, (at_end, "ACA", "A"), (at_end, "A", "ACA")) == [(4, "GCA", "G"), (4, "G", "GCA")]


def test_trimming_leaves_nothing_in_common():
    assert trim(5, "ACGT", "AT") == (6, "CG", "")
    assert trim(5, "A", "ATTA") == (5, "", "ATT")  # the right end goes first
    assert trim(5, "AC", "GT") == (5, "AC", "GT")


def test_rows_that_are_not_ok_keep_their_spelling():
    table = table_of(("c", 3, "AA", "A"), ("c", 3, "AA", "<DEL>"))
    table = table.assign(contig="c", status=["skipped", "skipped"])
    found = left_align(table, TextGenome(c="AAAA"))
    assert found["normal_position"].tolist() == [3, 3]
    assert found["normal_alt"].tolist() == ["A", "<DEL>"]
    assert "normal_alt" not in table


def test_an_unchecked_table_is_refused():
    with pytest.raises(InputError, match="no column 'contig': pass them through check_variants first"):
        left_align(table_of(("c", 1, "A", "C")), TextGenome(c="A"))
