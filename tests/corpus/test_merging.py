"""Records of one paper are merged, and different papers are not."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_qa.corpus.merging import merge_papers
from rag_qa.corpus.reading import read_source
from rag_qa.corpus.sources import expand_sources
from rag_qa.types import Paper, Source

WOOL = (
    "We study how wool is knitted into scarves by agents that exchange loops with their neighbours."
    " Each agent holds two needles and a ball of yarn, and decides by itself when to purl. The scarves"
    " grow without a plan, and yet they keep their width. We prove that the width converges and measure it"
    " on forty scarves."
)
LONGER = WOOL + " A second experiment with cotton shows the same effect at half the price."
TREES = (
    "Forests of decision trees can be watered by gradient descent when leaves are differentiable. This paper"
    " plants such forests on nine data sets and harvests predictions that need no pruning, at a tenth of the"
    " usual cost. Storms are simulated by dropping branches, and the forests remain upright in all of them."
)


def test_a_doi_merges_and_fills_the_gaps(paper):
    """Under one DOI the longest abstract leads, and missing fields come from the other record."""
    one = paper(WOOL, number=1, title="Wool", doi="10.1000/w", year=2020)
    two = paper(LONGER, number=2, title="On Wool", doi="10.1000/w", venue="J. Wool", authors=("Ann Ewe",))
    (merged,) = merge_papers([one, two])
    assert (merged.id, merged.title, merged.abstract, merged.year) == ("p1", "On Wool", LONGER, 2020)
    assert (merged.venue, merged.authors, merged.aliases) == ("J. Wool", ("Ann Ewe",), ("p2",))
    assert [source.variant for source in merged.sources] == [WOOL, None]


def test_a_whole_list_of_authors_ends_et_al(paper):
    """`more_authors` holds only if the longest list leaves some out."""
    cut = paper(WOOL, number=1, title="On Wool", doi="10.1000/w", authors=("Ann Ewe",), more_authors=True)
    whole = paper(WOOL, number=2, title="On Wool", doi="10.1000/w", authors=("Ann Ewe", "Bob Ram"))
    assert [merged.more_authors for merged in (*merge_papers([cut, whole]), *merge_papers([cut]))] == [
        False,
        True,
    ]


def test_one_doi_over_a_whole_volume_merges_nothing(paper):
    """Papers with their volume's DOI but different titles and texts are not merged."""
    papers = [paper(WOOL, number=1, title="On Wool", doi="10.1000/v"),
              paper(TREES, number=2, title="On Trees", doi="10.1000/v")]  # fmt: skip
    assert len(merge_papers(papers)) == 2


def test_an_arxiv_id_merges(paper):
    """Versions of an arXiv paper are one paper even under a new title."""
    one = paper(WOOL, number=1, title="Wool", arxiv_id="2101.00001", authors=("Ann Ewe",))
    two = paper(TREES, number=2, title="Trees", arxiv_id="2101.00001", authors=("A. Ewe", "Bob Ram"))
    assert [merged.authors for merged in merge_papers([one, two])] == [("A. Ewe", "Bob Ram")]


def test_a_title_merges_different_texts(paper):
    """The same specific title is enough, even if the text was rewritten."""
    title = "Toward a Deeper Understanding of Wool"
    assert (
        len(merge_papers([paper(WOOL, number=1, title=title), paper(TREES, number=2, title=title.upper())]))
        == 1
    )


def test_a_generic_title_merges_nothing(paper):
    """The title "Editorial" does not identify a paper."""
    papers = [paper(WOOL, number=1, title="Editorial"), paper(TREES, number=2, title="Editorial")]
    assert len(merge_papers(papers)) == 2


def test_contradicted_titles_stay_apart(paper):
    """One title over other DOIs, other authors and other texts is two papers."""
    title = "A Unified View of Knitting and Watering"
    one = paper(WOOL, number=1, title=title, doi="10.1000/a", authors=("Ann Ewe",))
    two = paper(TREES, number=2, title=title, doi="10.1000/b", authors=("Bob Oak",))
    assert len(merge_papers([one, two])) == 2


def test_an_untitled_version_joins_the_titled_one(paper):
    """A near-identical text without a title is another version of the titled paper."""
    merged = merge_papers([paper(WOOL, number=1), paper(LONGER, number=2, title="On Wool")])
    assert [(one.title, len(one.sources)) for one in merged] == [("On Wool", 2)]


def test_a_follow_up_with_a_reused_abstract_stays_apart(paper):
    """Part two by the same authors with most of the text of part one is another paper."""
    one = paper(WOOL, number=1, title="Knitting Wool: Part I", authors=("Ann Ewe",))
    two = paper(LONGER, number=2, title="Knitting Wool: Part II", authors=("Ann Ewe",))
    assert len(merge_papers([one, two])) == 2


def test_an_extended_abstract_joins_its_paper(paper):
    """A title that only adds to the other, over nearly the same text by the same authors, is one paper."""
    one = paper(WOOL, number=1, title="Knitting Wool", authors=("Ann Ewe",))
    two = paper(LONGER, number=2, title="Knitting Wool (Extended Abstract)", authors=("Ann Ewe",))
    assert len(merge_papers([one, two])) == 1


def test_a_real_abstract_leads_over_a_synopsis(paper):
    """A synopsis never replaces an abstract."""
    title = "Toward a Deeper Understanding of Wool"
    (merged,) = merge_papers(
        [paper(LONGER, number=1, title=title, kind="synopsis"), paper(WOOL, number=2, title=title)]
    )
    assert (merged.kind, merged.abstract) == ("abstract", WOOL)


def test_an_id_used_twice_means_neither(paper):
    """Two files that both count from 1 keep both papers, each under another id."""
    papers = [paper(WOOL, number=1, path="a"), paper(TREES, number=1, path="b", doi="10.1000/t")]
    ids = [merged.id for merged in merge_papers(papers)]
    assert ids[0] == "doi:10.1000/t" or ids[0].startswith(("doi:", "sha-"))
    assert len(set(ids)) == 2
    assert "p1" not in ids


PIECES = st.sampled_from([WOOL, LONGER, TREES, "We knit.", WOOL[:200]])
RECORDS = st.lists(
    st.builds(
        dict,
        abstract=PIECES,
        title=st.sampled_from(["", "Wool", "Editorial", "Toward a Deeper Understanding of Wool"]),
        doi=st.sampled_from([None, "10.1000/a", "10.1000/b"]),
        authors=st.sampled_from([(), ("Ann Ewe",), ("Bob Oak", "Cy Elm")]),
        id=st.sampled_from(["x", "y", "arXiv:2101.00001", "doi:10.1000/a", "sha-0123456789ab"]),
    ),
    max_size=8,
)


@given(RECORDS, st.integers(0, 99))
def test_merging_is_idempotent_and_knows_no_order(records, seed):
    """Merging twice is merging once, in any order of the records; no source is lost and ids are unique."""
    papers = [Paper(**record, sources=(Source(path="a", record=n),)) for n, record in enumerate(records)]
    merged = merge_papers(papers)
    shuffled = random.Random(seed).sample(papers, len(papers))
    assert merge_papers(shuffled) == merged
    assert merge_papers(merged) == merged
    assert sorted(source.record for paper in merged for source in paper.sources) == list(range(len(papers)))
    assert len({paper.id for paper in merged}) == len(merged)


@pytest.mark.shared
def test_the_seeds_hold_42_papers(shared):
    """The 49 abstracts of the seeds are 42 papers; the three EigenGames and two Gemmas are not merged."""
    papers = [paper for file in expand_sources([shared / "seeds"]) for paper in read_source(file).papers]
    merged = merge_papers(papers)
    assert (len(papers), len(merged)) == (49, 42)
    assert sorted(len(paper.sources) for paper in merged)[-3:] == [2, 3, 5]
    assert sum("EigenGame" in paper.title for paper in merged) == 2
    assert sum("introduce" in paper.abstract and "Gemma" in paper.abstract for paper in merged) == 2


@pytest.mark.shared
def test_papers_known_to_be_distinct_stay_distinct(shared):
    """2,000 sampled records are 2,000 papers, and 5,000 without an abstract are none."""
    folder = shared / "data" / "ml_abstracts"
    sample, without = (
        read_source(expand_sources([folder / f"{name}.jsonl.gz"])[0])
        for name in ("sample_2k", "no_abstract_5k")
    )
    assert len(merge_papers(sample.papers)) == 2000
    assert (len(without.papers), len(without.skipped)) == (0, 5000)
