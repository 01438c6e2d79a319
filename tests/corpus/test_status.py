"""Which records are retracted, of concern, corrected or preprints, and which papers only speak of such things."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_qa.corpus.combining import combine_papers
from rag_qa.corpus.merging import merge_papers
from rag_qa.corpus.preprints import is_preprint_venue
from rag_qa.corpus.records import read_record
from rag_qa.corpus.status import read_notice, read_status, without_marks
from rag_qa.types import Paper, Source, Version

ABSTRACT = "Rye bread keeps for nineteen days in a paper bag. Wheat bread keeps for eleven days."
TITLES = {
    "retracted": """
        RETRACTED: Rye keeps|WITHDRAWN: Rye keeps|Rye keeps [RETRACTED]|[Retracted] Rye keeps|(Retracted) Rye keeps
        Retracted article: Rye keeps|RETRACTED ARTICLE: Rye keeps|RETRACTED CHAPTER: Rye keeps|Rye keeps - RETRACTED
        RETRACTED Rye keeps|Rye keeps RETRACTED|Rye keeps. Retracted|RETRACTED—Rye keeps|**RETRACTED** Rye keeps
        Rye keeps (Retracted article. See vol. 33, pg. 133, 2015)|Rye keeps (Retraction of vol 5, pg 12, 2010)
        Rye keeps (withdrawn)|TEMPORARY REMOVAL: Rye keeps|Rye keeps (Retracted by the editors)
        Rye keeps [This article has been retracted]|Retraction notice to “Rye keeps” [Bread 12 (2014) 3–5]
        Retraction note: Rye keeps|Retraction Note to: Rye keeps|Notice of Retraction: Rye keeps|Retraction: Rye keeps
        Retraction for Baker et al., Rye keeps|Statement of Retraction: Rye keeps|Retraction of “Rye keeps”
        Withdrawal notice to: Rye keeps|Article Retraction: Rye keeps
    """,
    "expression of concern": """
        Expression of concern: Rye keeps|Editorial expression of concern: Rye keeps|Rye keeps [Expression of Concern]
        Expression of Concern to Rye keeps|Editors' Expression of Concern: Rye keeps|Notice of concern: Rye keeps
        Rye keeps (Publication with Expression of Concern. See vol. 4, pg. 2)
    """,
    "corrected": """
        Correction: Rye keeps|Correction to: Rye keeps|Corrigendum to “Rye keeps”|Erratum: Rye keeps|Erratum
        Author Correction: Rye keeps|Publisher Correction: Rye keeps|Correction for Baker et al., Rye keeps
        Rye keeps (vol 12, pg 34, 2013)|Rye keeps [corrected].|Corrigendum: Rye keeps|Corrections to “Rye keeps”
    """,
    None: """
        Retracted papers in bakery science|Withdrawn flours and their risks|Retraction of the scapula while kneading
        Retractions in the bread literature: a review|Why are papers retracted?|Characteristics of retracted articles
        Withdrawal of salt from bread|Alcohol withdrawal: symptoms|Corrected moisture of bread|Correction of weights
        An expression of concern by bakers|Expressions of concern: a study of notices|Error-correcting codes
        RETRACTED PAPERS IN BAKERY SCIENCE|Citations of retracted articles (2000-2020)|Concern about bread
        Wheat prices [corrected for inflation] in towns|Corrections to scaling in dough|Retracted-article analysis
        Removal of crusts: a comparison|The fate of papers (retracted and not)|Retraction Watch: ten years on
    """,
}
ROWS = [
    (title.strip(), status)
    for status, rows in TITLES.items()
    for line in rows.split("\n")
    for title in line.split("|")
]


@pytest.mark.parametrize(("title", "status"), [row for row in ROWS if row[0]])
def test_titles_tell_a_status_by_marks_alone(title, status):
    """Marks and notices give a status; a paper about retractions, withdrawal or corrections has none."""
    assert read_status({}, title) == status


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"is_retracted": True}, "retracted"),
        ({"isRetracted": "TRUE"}, "retracted"),
        ({"is_retracted": "False"}, None),
        ({"is_retracted": 0}, None),
        ({"Retracted": "yes"}, "retracted"),
        ({"retraction_date": "2019-03-01"}, "retracted"),
        ({"KW": ["Bread", "Retracted Publication"]}, "retracted"),
        ({"keywords": "bread; retracted publication"}, "retracted"),
        ({"keywords": ["retraction of publication as topic", "retraction", "preprints"]}, None),
        ({"PT": ["Journal Article", "Retracted Publication"]}, "retracted"),
        ({"PT": ["Journal Article", "Retraction of Publication"]}, "retracted"),
        ({"pubTypeList": {"pubType": ["research-article", "Retracted Publication"]}}, "retracted"),
        ({"DT": "Article; Retracted Publication"}, "retracted"),
        ({"Document Type": "Retracted"}, "retracted"),
        ({"Document Type": "Erratum"}, "corrected"),
        ({"type": "erratum"}, "corrected"),
        ({"type": "article", "status": "Withdraw"}, None),
        ({"N1": "RETRACTED. Retraction notice: Bread Notes 2018"}, "retracted"),
        ({"note": "This article has been retracted."}, "retracted"),
        ({"comments": "This paper has been withdrawn by the authors"}, "retracted"),
        ({"note": "We retracted the loaf by hand and withdrew nothing"}, None),
        ({"updated-by": [{"type": "retraction", "DOI": "10.5555/r", "label": "Retraction"}]}, "retracted"),
        ({"update-to": [{"type": "correction", "DOI": "10.5555/p"}]}, "corrected"),
        ({"update-to": [{"type": "new_version", "DOI": "10.5555/p"}]}, None),
        ({"RIN": "Bread Notes. 2018;3:5"}, "retracted"),
        ({"EIN": "Bread Notes. 2018;3:5"}, "corrected"),
        ({"ECI": "Bread Notes. 2018;3:5"}, "expression of concern"),
        ({"CommentsCorrectionsList": [{"RefType": "RetractionIn", "RefSource": "Bread. 2018"}]}, "retracted"),
        ({"CommentsCorrectionsList": [{"RefType": "CommentIn", "RefSource": "Bread. 2018"}]}, None),
        ({"CommentsCorrectionsList": [{"RefType": "ErratumIn"}, {"RefType": "RetractionIn"}]}, "retracted"),
        (
            {
                "medlinecitation": {
                    "article": {"publicationtypelist": {"publicationtype": ["Retracted Publication"]}}
                }
            },
            "retracted",
        ),
        ({"medlinecitation": {"commentscorrectionslist": {"commentscorrectionsretractionin": {}}}}, None),
        (
            {
                "medlinecitation": {
                    "commentscorrectionslist": {"commentscorrectionserratumin": {"pmid": "26"}}
                }
            },
            "corrected",
        ),
        ({"type": "posted-content"}, "preprint"),
        ({"itemType": "preprint"}, "preprint"),
        ({"preprint": "https://example.org/1", "journal": "Bread Notes"}, None),
        ({"TY": "UNPB"}, "preprint"),
        ({"arxiv": "2001.00001"}, "preprint"),
        ({"arxiv": "2001.00001", "journal": "Bread Notes"}, None),
        ({"arxiv": "2001.00001", "doi": "10.5555/a"}, None),
        ({"doi": "10.48550/arXiv.2001.00001"}, "preprint"),
        ({"doi": "10.1101/2020.01.02.123456"}, "preprint"),
        ({"doi": "10.1101/2020.01.02.123456", "journal": "Bread Notes"}, None),
        ({"doi": "10.1101/gr.1234.111"}, None),
        ({"doi": "10.5555/a", "venue": "arXiv.org"}, None),
        ({"venue": "CoRR"}, "preprint"),
        (
            {"abstract": f"This article has been withdrawn at the request of its authors. {ABSTRACT}"},
            "retracted",
        ),
        ({"abstract": "[This corrects the article DOI: 10.5555/a.] The table was wrong."}, "corrected"),
        ({"abstract": f"{ABSTRACT} Some of the papers that we cite have been retracted since."}, None),
        (
            {
                "abstract": "We ask why this paper of 1998 was so much cited after it was retracted by its editors."
            },
            None,
        ),
    ],
)
def test_fields_of_every_source_tell_a_status(fields, status):
    """Flags, types, keywords, notes and links to notices give a status; false ones and subjects do not."""
    record = {"title": "Rye keeps", "abstract": ABSTRACT} | fields
    assert read_record(record, "a", 1).status == status


@pytest.mark.parametrize(
    "venue",
    """arXiv|arXiv.org|arXiv preprint arXiv:2001.00001|arXiv (Cornell University)|CoRR abs/2001.00001|bioRxiv|PsyArXiv
    medRxiv : the preprint server for health sciences|SSRN Electronic Journal|Research Square|Preprints.org|ChemRxiv
    OSF Preprints|Cryptology ePrint Archive|TechRxiv|Authorea Preprints""".replace("\n", "|").split("|"),
)
def test_preprint_servers_are_known_by_name(venue):
    """The names that sources give to preprint servers are known."""
    assert is_preprint_venue(venue)


@pytest.mark.parametrize(
    "venue",
    ["CORR Insights", "Correspondence", "Journal of Preprints", "Advances", "ICML 2020 (arXiv:2001.00001)"],
)
def test_other_venues_are_no_servers(venue):
    """A venue that only sounds like a preprint server is not one."""
    assert not is_preprint_venue(venue)


def test_a_notice_names_its_paper():
    """What a notice is about is read from its title, without quotes, source and authors, and its DOI from the text."""
    assert (
        read_notice("Retraction notice to “Rye bread keeps” [Bread 12 (2014) 3]", "").title
        == "Rye bread keeps"
    )
    assert read_notice("Correction for Baker et al., Rye bread keeps", "").title == "Rye bread keeps"
    assert read_notice("Retraction: Rye", "[This retracts the article DOI: 10.5555/a.]").doi == "10.5555/a"
    assert read_notice("RETRACTED: Rye bread keeps", "") is None


def _paper(number: int, **fields) -> Paper:
    return Paper(
        **({"id": f"p{number}", "abstract": ABSTRACT} | fields), sources=(Source(path="a", record=number),)
    )


@pytest.mark.parametrize("order", [1, -1])
def test_a_mark_is_never_lost_in_a_merge(order):
    """The longer abstract without the mark leaves title and status as the marked record has them."""
    records = [
        _paper(1, title="Rye keeps", doi="10.5555/a", abstract=ABSTRACT + " So there."),
        _paper(2, title="RETRACTED: Rye keeps", doi="10.5555/a", status="retracted"),
    ][::order]
    (merged,) = merge_papers(records)
    assert (merged.title, merged.status) == ("RETRACTED: Rye keeps", "retracted")
    assert merged.abstract.endswith("So there.")


def test_a_notice_gives_its_status_to_the_paper_that_it_names():
    """A retraction notice stays a separate record, and the paper of that title is retracted."""
    records = [
        _paper(1, title="Rye bread keeps for nineteen days", doi="10.5555/a"),
        _paper(
            2,
            title="Retraction notice to “Rye bread keeps for nineteen days”",
            doi="10.5555/b",
            status="retracted",
        ),
        _paper(3, title="Wheat bread keeps for eleven days", doi="10.5555/c", abstract="Wheat. " + ABSTRACT),
    ]
    assert [paper.status for paper in merge_papers(records)] == ["retracted", "retracted", None]


def test_metadata_come_from_the_published_record_and_the_preprint_is_a_version():
    """Title, venue, year and DOI are those of the published record, even if its abstract is shorter."""
    title = "Rye bread keeps for nineteen days"
    preprint = _paper(
        1, title=title, abstract=ABSTRACT + " More.", year=2019, arxiv_id="2001.00001", status="preprint"
    )
    published = _paper(2, title=title, venue="Bread Notes", year=2021, doi="10.5555/a")
    (merged,) = merge_papers([preprint, published])
    assert (merged.venue, merged.year, merged.doi, merged.arxiv_id) == (
        "Bread Notes",
        2021,
        "10.5555/a",
        "2001.00001",
    )
    assert (merged.status, merged.abstract) == (None, preprint.abstract)
    assert merged.versions == (Version(title=title, year=2019, arxiv_id="2001.00001", status="preprint"),)


def test_a_preprints_year_does_not_fill_the_gap_of_the_published_record():
    """A published record without a year has none, rather than its preprint's."""
    title = "Rye bread keeps for nineteen days"
    records = [
        _paper(1, title=title, year=2019, arxiv_id="2001.00001", status="preprint"),
        _paper(2, title=title, venue="Bread Notes"),
    ]
    (merged,) = merge_papers(records)
    assert (merged.venue, merged.year, [version.year for version in merged.versions]) == (
        "Bread Notes",
        None,
        [2019],
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


@given(
    st.dictionaries(st.sampled_from(["keywords", "type", "pt", "note", "updateto", "isretracted"]), JSON),
    st.text(),
)
def test_any_value_is_read(known, title):
    """Any value of a field and any title give a known status or None."""
    assert read_status(known, title) in (None, "retracted", "expression of concern", "corrected", "preprint")
    assert isinstance(without_marks(title), str)


@pytest.mark.parametrize("piece", ["retracted ", "(retracted ", "[", "retraction of ", ": ", "the author's "])
def test_hostile_titles_are_read_at_once(piece):
    """Long repetitions of parts of marks do not make the patterns backtrack without end."""
    for title in (piece * 40, piece * 20_000):
        read_status({"note": title, "type": title}, title, abstract=title)
        assert len(without_marks(title)) <= len(title)


@pytest.mark.parametrize("turned", [False, True])
def test_a_flag_of_the_poorer_record_is_not_lost_in_a_merge(turned):
    """A paper is retracted if any of its records says so, even if its metadata come from another."""
    text = "Looms of oak weave wool faster than looms of pine."
    full = Paper(id="a", title="Looms", abstract=text, venue="Wool Letters", year=2020, doi="10.5555/loom")
    flagged = Paper(id="b", title="Looms", abstract=text, status="retracted")
    merged = combine_papers([flagged, full] if turned else [full, flagged])
    assert (merged.venue, merged.status) == ("Wool Letters", "retracted")
