"""JSON from web APIs and tools: records are found in any wrapper."""

import json

import pytest

KNIT = {"title": "Knitting", "abstract": "We knit."}
PURL = {"title": "Purling", "abstract": "We purl."}
WRAPPED = [
    {"total": 2, "data": [KNIT, PURL]},
    {"status": "ok", "message": {"items": [KNIT, PURL], "facets": {}}},
    {"hits": {"hits": [{"_id": "a", "_source": KNIT}, {"_id": "b", "_source": PURL}]}},
    {"data": {"search": {"edges": [{"node": KNIT}, {"node": PURL}]}}},
    {"title": "my library", "papers": [KNIT, PURL]},
    {"2020": [KNIT], "2021": [PURL]},
    {"uids": ["1"], "result": {"uids": ["1", "2"], "1": KNIT, "2": PURL}},
    {"name": "Wilma Weaver", "papers": [KNIT, PURL], "tags": [{"title": "wool"}]},
    [[KNIT], [PURL]],
    [{"key": "A", "data": KNIT, "links": {}}, {"key": "B", "data": PURL}],
    {"title": {"0": "Knitting", "1": "Purling"}, "abstract": {"0": "We knit.", "1": "We purl."}},
    {
        "columns": ["title", "abstract"],
        "index": [0, 1],
        "data": [["Knitting", "We knit."], ["Purling", "We purl."]],
    },
    {"title": ["Knitting", "Purling"], "abstract": ["We knit.", "We purl."]},
]


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("value", WRAPPED)
def test_wrapped_records_are_found(read, value, indent):
    """Wrappers of interfaces and tables of pandas give their records, on one line or on many."""
    reading = read(json.dumps(value, indent=indent))
    assert [(paper.title, paper.abstract) for paper in reading.papers] == [
        ("Knitting", "We knit."),
        ("Purling", "We purl."),
    ]
    assert not reading.skipped


@pytest.mark.parametrize("wrap", [{"message": KNIT}, {"data": KNIT}, [KNIT], [{"paper": KNIT}], KNIT])
def test_a_single_record_is_found(read, wrap):
    """One paper under a key, in a list or alone is one paper."""
    assert [paper.title for paper in read(json.dumps(wrap)).papers] == ["Knitting"]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(KNIT, indent=1) + "\n" + json.dumps(PURL, indent=1),
        json.dumps(KNIT) + json.dumps(PURL),
        "\ufeff" + json.dumps(KNIT) + "\n\ufeff" + json.dumps(PURL),
        "\x1e" + json.dumps(KNIT) + "\n\x1e" + json.dumps(PURL),
        json.dumps({"data": [KNIT]}) + "\n" + json.dumps({"data": [PURL]}),
        f"[\n{json.dumps(KNIT)},\n{json.dumps(PURL)},\n",
    ],
    ids=["indented", "glued", "marks", "separators", "pages", "cut off"],
)
def test_values_in_a_row_are_all_read(read, text):
    """Several JSON values in a file are read one after the other."""
    assert [paper.title for paper in read(text).papers] == ["Knitting", "Purling"]


def test_a_damaged_object_costs_itself(read):
    """After an object that does not parse the next one is read, and the broken one is reported."""
    reading = read(json.dumps(KNIT, indent=1) + '\n{\n "title": oops\n}\n' + json.dumps(PURL, indent=1))
    assert [paper.title for paper in reading.papers] == ["Knitting", "Purling"]
    assert len(reading.skipped) == 1


@pytest.mark.parametrize("key", ["references", "citations"])
def test_cited_papers_do_not_stand_for_a_paper_without_an_abstract(read, key):
    """A paper whose abstract is null is skipped, even if papers that it cites have abstracts."""
    for record in ({"title": "Wool", "abstract": None, key: [KNIT]}, {"title": "Wool", key: [KNIT]}):
        reading = read(json.dumps(record))
        assert (len(reading.papers), len(reading.skipped)) == (0, 1)


def test_openalex_abstracts_are_put_in_order(read):
    """An inverted index becomes the text that it was made from; authors, venue and ids are found."""
    work = {
        "id": "https://openalex.org/W1",
        "doi": "https://doi.org/10.5555/wool.1",
        "display_name": "Knitting",
        "publication_year": 2021,
        "ids": {"pmid": "https://pubmed.ncbi.nlm.nih.gov/123"},
        "authorships": [
            {"author": {"display_name": "Wilma Weaver"}, "raw_author_name": "W. Weaver"},
            {"author": {"display_name": "Lou van der Mug"}},
        ],
        "primary_location": {"source": {"display_name": "Journal of Wool"}},
        "abstract_inverted_index": {"knit": [1, 4], "We": [0], "and": [2], "they": [3], "too.": [5]},
    }
    (paper,) = read(json.dumps({"meta": {"count": 1}, "results": [work]})).papers
    assert paper.abstract == "We knit and they knit too."
    assert (paper.authors, paper.venue, paper.year) == (
        ("Wilma Weaver", "Lou van der Mug"),
        "Journal of Wool",
        2021,
    )
    assert (paper.doi, paper.pmid) == ("10.5555/wool.1", "123")


SOURCES = {
    "crossref": (
        {"DOI": "10.5555/w", "title": ["Knitting"], "abstract": "We knit.", "container-title": ["Journal of Wool"],
         "author": [{"given": "Wilma", "family": "Weaver"}, {"name": "Wool Group"}],
         "issued": {"date-parts": [[2021, 3]]}, "reference": [{"article-title": "x"}]},
        ("Wilma Weaver", "Wool Group"), "Journal of Wool", 2021),
    "semantic scholar": (
        {"paperId": "aa", "externalIds": {"DOI": "10.5555/w", "PubMed": "123"}, "title": "Knitting",
         "abstract": "We knit.", "year": 2021, "venue": "", "journal": {"name": "Journal of Wool", "volume": "1"},
         "authors": [{"authorId": "1", "name": "Wilma Weaver"}]},
        ("Wilma Weaver",), "Journal of Wool", 2021),
    "europe pmc": (
        {"id": "123", "source": "MED", "pmid": "123", "title": "Knitting", "authorString": "Weaver W, Mug L.",
         "journalInfo": {"journal": {"title": "Journal of Wool"}, "yearOfPublication": 2021},
         "abstractText": "We knit."},
        ("W Weaver", "L Mug"), "Journal of Wool", 2021),
    "cord-19": (
        {"paper_id": "c", "metadata": {"title": "Knitting",
         "authors": [{"first": "Wilma", "middle": ["J."], "last": "Weaver"}]},
         "abstract": [{"text": "We knit.", "section": "Abstract"}], "body_text": [{"text": "Wool."}]},
        ("Wilma J. Weaver",), None, None),
    "zotero": (
        {"key": "K", "data": {"title": "Knitting", "abstractNote": "We knit.", "publicationTitle": "Journal of Wool",
         "date": "March 2021", "creators": [{"creatorType": "editor", "lastName": "Ed", "firstName": "Ed"},
         {"creatorType": "author", "lastName": "Weaver", "firstName": "Wilma"},
         {"creatorType": "author", "name": "WHO"}]}},
        ("Wilma Weaver", "WHO"), "Journal of Wool", 2021),
    "openreview": (
        {"id": "o", "content": {"title": {"value": "Knitting"}, "abstract": {"value": "We knit."},
         "authors": {"value": ["Wilma Weaver"]}, "venue": {"value": "WoolConf 2021"}}},
        ("Wilma Weaver",), "WoolConf 2021", None),
    "datacite": (
        {"data": {"id": "10.5555/w", "attributes": {"doi": "10.5555/w", "titles": [{"title": "Knitting"}],
         "creators": [{"name": "Weaver, Wilma", "givenName": "Wilma", "familyName": "Weaver"}],
         "descriptions": [{"description": "We knit.", "descriptionType": "Abstract"}], "publicationYear": 2021}}},
        ("Wilma Weaver",), None, 2021),
    "inspire": (
        {"metadata": {"titles": [{"title": "Knitting"}],
         "abstracts": [{"value": "We knit."}, {"value": "We do knit."}],
         "authors": [{"full_name": "Weaver, Wilma"}],
         "publication_info": [{"journal_title": "Journal of Wool", "year": 2021}]}},
        ("Wilma Weaver",), "Journal of Wool", 2021),
    "hal": (
        {"title_s": ["Knitting"], "abstract_s": ["We knit."], "authFullName_s": ["Wilma Weaver"],
         "journalTitle_s": "Journal of Wool", "producedDateY_i": 2021},
        ("Wilma Weaver",), "Journal of Wool", 2021),
    "springer": (
        {"records": [{"title": "Knitting", "abstract": {"h1": "Abstract", "p": "We knit."},
         "publicationName": "Journal of Wool", "creators": [{"creator": "Weaver, Wilma"}],
         "publicationDate": "2021-01-01"}]},
        ("Wilma Weaver",), "Journal of Wool", 2021),
    "s2orc": (
        {"paper_id": "1", "title": "Knitting", "abstract": "We knit.", "venue": "Wool",
         "identifiers": {"doi": "10.5555/w"},
         "authors": [{"first": "Wilma", "middle": [], "last": "Weaver", "suffix": ""}], "year": "2021"},
        ("Wilma Weaver",), "Wool", 2021),
    "academic graph": (
        {"DisplayName": "Knitting", "Year": 2021, "authors": ["Wilma Weaver"],
         "abstract_inverted_index": {"IndexLength": 2, "InvertedIndex": {"knit.": [1], "We": [0]}}},
        ("Wilma Weaver",), None, 2021),
    "biorxiv": (
        {"collection": [{"doi": "10.1101/1999.01", "title": "Knitting", "authors": "Weaver, W.; Mug, L.",
         "date": "2021-02-03", "abstract": "We knit.", "published": "10.1038/s41586-1999-1"}]},
        ("W. Weaver", "L. Mug"), None, 2021),
    "csl": (
        [{"title": "Knitting", "abstract": "We knit.", "container-title": "Journal of Wool",
         "editor": [{"family": "Ed"}], "author": [{"family": "Mug", "given": "Lou", "non-dropping-particle": "van der"},
         {"literal": "WHO, Inc"}, {"family": "King", "given": "Martin", "suffix": "Jr."}],
         "issued": {"date-parts": [["2021", "3"]]}}],
        ("Lou van der Mug", "WHO, Inc", "Martin King Jr."), "Journal of Wool", 2021),
}  # fmt: skip


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_gives_names_venue_and_year(read, source):
    """What a known source calls a thing is found under its name, also inside other values."""
    record, authors, venue, year = SOURCES[source]
    (paper,) = read(json.dumps(record)).papers
    assert (paper.title, paper.abstract) == ("Knitting", "We knit.")
    assert (paper.authors, paper.venue, paper.year) == (authors, venue, year)
