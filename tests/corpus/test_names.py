"""The names in author fields of every kind."""

import pytest

from rag_qa.corpus.authors import read_authors
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
        *((value, 2021) for value in (2021, "2021-05-03", "May 2021", 2021.0, {"date-parts": [[2021, 1]]})),
        *(
            (value, 2021)
            for value in (
                "20210305",
                20210305,
                1614816000000,
                "2021 Mar-Apr",
                "Spring 2021",
                "c2021",
                "2021/2022",
            )
        ),
        *(
            (value, 2021)
            for value in ({"Year": "2021"}, {"MedlineDate": "2021 Mar"}, {"date-parts": [["2021", "3"]]})
        ),
        *((value, None) for value in (99999, -5, "soon", True, float("nan"), 17000000000, None, [], {})),
        *((value, None) for value in ("10.1038/s41586-1999-1", {"date-parts": [[None]]}, "20211305")),
    ],
)
def test_years_are_read_and_impossible_ones_are_none(value, year):
    """A year comes from numbers, dates and texts; nonsense is None."""
    assert read_year(value) == year
