"""Author names from whatever stands in an author field."""

import pytest

from rag_qa.corpus.names import read_authors
from rag_qa.corpus.years import read_year


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("Frostig, Roy", ("Roy Frostig",)),
        ("Roy Frostig", ("Roy Frostig",)),
        ("Ada Lovelace, Alan Turing", ("Ada Lovelace", "Alan Turing")),
        ("Ada Lovelace, Alan Turing and Emmy Noether", ("Ada Lovelace", "Alan Turing", "Emmy Noether")),
        ("Lovelace, Ada; Turing, Alan", ("Ada Lovelace", "Alan Turing")),
        ("Lovelace, Ada and Turing, Alan M.", ("Ada Lovelace", "Alan M. Turing")),
        ("Lovelace, A., Turing, A. M., Noether, E.", ("A. Lovelace", "A. M. Turing", "E. Noether")),
        (["Lovelace, Ada", "Alan Turing"], ("Ada Lovelace", "Alan Turing")),
        ([{"name": "Ada Lovelace"}, {"given": "Alan", "family": "Turing"}], ("Ada Lovelace", "Alan Turing")),
        ([["Weaver", "Wilma", "Jr"]], ("Wilma Weaver Jr",)),
        ([None, 3, {}, ""], ()),
        (None, ()),
        (7, ()),
    ],
)
def test_names_are_read_in_every_form(value, names):
    """Strings, lists and dictionaries give names as "Given Family"."""
    assert read_authors(value) == names


@pytest.mark.parametrize(
    ("value", "year"),
    [
        (2021, 2021), ("2021-05-03", 2021), ("May 2021", 2021), (2021.0, 2021),
        ({"date-parts": [[2020, 1]]}, 2020), (99999, None), (-5, None), ("soon", None), (True, None), (float("nan"), None), (1700000000000, None),
    ],
)  # fmt: skip
def test_years_are_read_and_impossible_ones_are_none(value, year):
    """A year comes from numbers, dates and texts; nonsense is None."""
    assert read_year(value) == year
