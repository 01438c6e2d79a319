"""Which records links lead to."""

import numpy as np
import pytest

from rag_qa.corpus.links import Links
from rag_qa.corpus.merging import merge_papers

WOOL = (
    "We study how wool is knitted into scarves by agents that exchange loops with their neighbours at night."
)
BREAD = "Loaves rise in the dark of an oven that nobody opens, and the crumb is measured with a needle and a lamp."
BOATS = "A hull that is longer than its keel turns late, so pilots of such boats learn the harbour's currents by heart."


def reached(records, start):
    return Links.of(records).reached_from(np.array([start])).tolist()


@pytest.mark.parametrize(
    "fields",
    [
        {"title": "On wool!"},
        {"doi": "10.1000/wool"},
        {"id": "other"},
        {"abstract": f"{WOOL} It is warm."},
        {"title": "Retraction: On wool"},
        {"title": "Erratum", "abstract": "This corrects DOI: 10.1000/wool in part."},
    ],
)
def test_whatever_may_join_or_mark_two_records_links_them(paper, fields):
    """An identifier, an id, a title, a similar abstract and the paper that a notice names are links."""
    wool = paper(WOOL, number=1, id="wool", title="On wool", doi="10.1000/wool", aliases=("other",))
    other = paper(**{"abstract": BREAD, "number": 2, "id": "bread"} | fields)
    assert reached([wool, other, paper(BOATS, number=3)], 1) == [0, 1]


def test_links_lead_on(paper):
    """Records are reached through others, whatever the links are."""
    records = [
        paper(WOOL, number=1, title="On wool"),
        paper(BREAD, number=2, title="On wool", doi="10.1000/x"),
        paper(BOATS, number=3, doi="10.1000/x"),
        paper("…", number=4, title="Elsewhere"),
    ]
    assert reached(records, 0) == [0, 1, 2]
    assert reached(records, 3) == [3]


def test_texts_without_words_are_not_alike(paper):
    """Abstracts that are too short to have shingles are linked only if they are the same."""
    records = [paper("…", number=1), paper("!", number=2), paper("…", number=3)]
    assert reached(records, 0) == [0, 2]


def test_no_records_have_no_links(paper):
    """No record at all can be linked and merged."""
    assert Links.of([]).by_record() == []
    assert merge_papers([]) == []
