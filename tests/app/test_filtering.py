"""Filters as people type them."""

import pytest

from rag_qa import Filter
from rag_qa.app.filtering import filter_flags, make_filter, read_filter
from rag_qa.errors import FilterError


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("2020", 2020, 2020),
        ("2019..2022", 2019, 2022),
        ("2019-2022", 2019, 2022),
        ("2019..", 2019, None),
        ("..2022", None, 2022),
    ],
)
def test_years_are_read(text, since, until):
    """A year, a range, and a range open at either end."""
    assert make_filter(year=text) == Filter(since=since, until=until)


@pytest.mark.parametrize("text", ["", "20", "2022..2019", "..", "soon", "2019..2020..2021"])
def test_other_years_are_errors(text):
    """Anything but years is an error with an example; an empty flag sets no filter."""
    if not text:
        assert make_filter(year=text) == Filter()
        return
    with pytest.raises(FilterError, match="write"):
        make_filter(year=text)


def test_since_and_year_restrict_together():
    """Of `--since` and the beginning of `--year` the later one counts."""
    assert make_filter(year="2019..2022", since=2020) == Filter(since=2020, until=2022)
    assert make_filter(year="2021", since=2020) == Filter(since=2021, until=2021)


def test_pairs_are_read():
    """`/filter` takes pairs, with quotation marks around what holds spaces, and repeats."""
    text = 'author="Ian Gemp" author=Rus venue=NeurIPS year=2019.. source=a.bib'
    wanted = Filter(authors=("Ian Gemp", "Rus"), venues=("NeurIPS",), since=2019, sources=("a.bib",))
    assert read_filter(text) == wanted
    assert read_filter("since=2020") == Filter(since=2020)
    assert read_filter("status=preprint without=retracted") == Filter(
        statuses=("preprint",), without=("retracted",)
    )


@pytest.mark.parametrize("text", ["expression of concern", "concern", "Expression-of-Concern", "concerns"])
def test_statuses_are_read(text):
    """A status may be named by its last word, in any case."""
    assert make_filter(status=[text]).statuses == ("expression of concern",)


def test_another_word_is_no_status():
    """An unknown status is an error that lists the known ones."""
    with pytest.raises(FilterError, match="retracted, expression of concern"):
        make_filter(without=["dubious"])


@pytest.mark.parametrize("text", ["NeurIPS", "colour=red", "author=", 'author="Ian', "since=soon"])
def test_other_words_are_errors(text):
    """A word that is no pair of a known name and a value is an error that shows how to write it."""
    with pytest.raises(FilterError, match="write"):
        read_filter(text)


@pytest.mark.parametrize(
    "text", ["", "year=2019..2022", "since=2020", "year=..2019", "author=Rus venue=ICLR status=corrected"]
)
def test_flags_of_a_filter_make_it_again(text):
    """A filter, taken apart into flags, is made again by them; what it does not restrict has no flag."""
    filter = read_filter(text)
    flags = filter_flags(filter)
    assert make_filter(**flags) == filter
    assert all(value not in (None, ()) for value in flags.values())
