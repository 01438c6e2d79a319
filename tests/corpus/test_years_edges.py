"""The edges of what is read as a year."""

import pytest

from rag_qa.corpus.years import EPOCH_FROM, EPOCH_UNTIL, read_year

LAST_OF_2020, FIRST_OF_2021 = 1_609_459_199_000, 1_609_459_200_000


@pytest.mark.parametrize(
    ("value", "year"),
    [
        (1499, None),
        (1500, 1500),
        (2099, 2099),
        (2100, None),
        ("1499", None),
        ("1500", 1500),
        ("2099", 2099),
        ("2100", None),
        (202103, 2021),
        (202113, None),
        (15000101, 1500),
        (20991231, 2099),
        (20991232, None),
    ],
)
def test_years_run_from_1500_to_2099(value, year):
    """The first and the last year are read, in every form of a number, and what lies beside them is not."""
    assert read_year(value) == year


@pytest.mark.parametrize(
    ("value", "year"),
    [
        (EPOCH_FROM - 1, None),
        (EPOCH_FROM, 1973),
        (LAST_OF_2020, 2020),
        (FIRST_OF_2021, 2021),
        (EPOCH_UNTIL, 2099),
        (EPOCH_UNTIL + 1, None),
    ],
)
def test_milliseconds_are_those_of_utc(value, year):
    """Milliseconds since 1970 count from 1973 to the end of 2099, in UTC whatever this machine's zone."""
    assert read_year(value) == year


@pytest.mark.parametrize(("value", "year"), [(2021.0, 2021), (2021.5, None), (float("inf"), None)])
def test_only_a_whole_number_is_a_year(value, year):
    """pandas writes years as 2021.0; half a year is none."""
    assert read_year(value) == year


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("10 May 2021", 2021),
        ("  10.1038/s41586-2021", None),
        ("12021", None),
        ("20210", None),
        ("2020 to 2021", 2020),
        ("202100", None),
        (" " * 96 + "2021", 2021),
        (" " * 97 + "2021", None),
    ],
)
def test_a_text_is_searched_for_a_year_that_stands_alone(text, year):
    """The first year within 100 characters counts; digits beside it make it another number."""
    assert read_year(text) == year


@pytest.mark.parametrize(
    ("value", "year"),
    [
        ([None, None, "2021"], 2021),
        ([None, None, None, "2021"], None),
        (("2020", "2021"), 2020),
        ([["soon"], [2021]], 2021),
    ],
)
def test_of_a_list_the_first_three_are_read(value, year):
    """Year, month and day are three; the first that holds a year counts."""
    assert read_year(value) == year


@pytest.mark.parametrize(
    "name",
    ["date-parts", "Year", "MedlineDate", "date", "value", "raw", "literal", "DateTime", "text"],
)
def test_every_form_of_a_mapping_is_known(name):
    """Each tool's name for a date gives the year; a name that is none of theirs gives nothing."""
    assert read_year({name: "2021"}) == 2021
    assert read_year({f"x{name}": "2021"}) is None


def test_the_most_exact_form_of_a_mapping_counts():
    """Parts of a date go before its text; a form without a year is passed over."""
    assert read_year({"raw": "2019", "date-parts": [[2021, 3]]}) == 2021
    assert read_year({"date-parts": [[None]], "raw": "2019"}) == 2019
