"""Labelled pairs: which two records are one paper, and which are companions, notices or other papers."""

import pytest

from rag_qa.corpus.merging import merge_papers, why_merged
from rag_qa.corpus.wording import find_edits, same_word
from rag_qa.types import Paper, Source

# Fifty words with one that may be exchanged.
SURVEY = (
    "We asked {who} about the bread that they bake at home and how long they let the dough rest. Most of those who "
    "answered knead it by hand, leave it under a towel for two hours and bake it in an iron pot. Few weigh the flour, "
    "and fewer still measure the temperature of the oven before the loaf goes in."
)
RYE = (
    "Rye bread keeps longer than wheat bread, but nobody knows by how much. We stored forty loaves of each kind in "
    "paper bags and looked for mould every day during a month. Rye loaves stayed clean for nineteen days and wheat "
    "loaves for eleven, whatever the weather outside the bakery."
)
MORE = " We also give the recipe, the raw counts and a calendar of the whole study, which ended in March."
OVENS = (
    "Ovens lose heat through their doors. A second pane of glass halves the loss, at the price of a heavier door that "
    "must be hung on stronger hinges. This note gives the numbers for six household ovens and one bakery oven."
)
TITLE = "How people bake bread at home in small towns"
PETRA, OTTO = ("Petra Baker", "Otto Miller"), ("Ines Grain",)


def _text(who: str = "people") -> str:
    return SURVEY.format(who=who)


def _pair(title_a, text_a, title_b, text_b, a=None, b=None):
    return dict(title=title_a, abstract=text_a, **(a or {})), dict(
        title=title_b, abstract=text_b, **(b or {})
    )


def _companions(title: str, one: str, other: str):
    """Return two records that differ in one word of title and text."""
    return _pair(
        title.format(one),
        _text(one),
        title.format(other),
        _text(other),
        {"authors": PETRA},
        {"authors": PETRA},
    )


BY = {"authors": PETRA}
SAME = {
    "everything": _pair(TITLE, _text(), TITLE, _text()),
    "case and punctuation": _pair(TITLE, _text(), TITLE.upper() + ".", _text().replace(",", ";")),
    "markup": _pair(TITLE, RYE, f"<i>{TITLE}</i>".replace("<i>", "").replace("</i>", ""), f"  {RYE} "),
    "accents": _pair(
        "Café breads of the old towns of Zürich", _text(), "Cafe breads of the old towns of Zurich", _text()
    ),
    "a DOI on one side": _pair(TITLE, _text(), TITLE, _text(), {"doi": "10.5555/a"}),
    "a DOI and an arXiv id": _pair(
        TITLE, _text(), TITLE, _text(), {"doi": "10.5555/a"}, {"arxiv_id": "2001.00001"}
    ),
    "arXiv's DOI and a journal's": _pair(
        TITLE, RYE, TITLE, RYE + MORE, {"doi": "10.48550/arxiv.2001.00001"}, {"doi": "10.5555/a"}
    ),
    "bioRxiv's DOI and a journal's": _pair(
        TITLE, RYE, TITLE, RYE + MORE, {"doi": "10.1101/2020.01.02.123456"}, {"doi": "10.5555/a"}
    ),
    "old bioRxiv's DOI": _pair(
        TITLE, RYE, TITLE, RYE + MORE, {"doi": "10.1101/123456"}, {"doi": "10.5555/a"}
    ),
    "SSRN": _pair(TITLE, RYE, TITLE, RYE + MORE, {"doi": "10.2139/ssrn.1234567"}, {"doi": "10.5555/a"}),
    "Research Square": _pair(
        TITLE, RYE, TITLE, RYE + MORE, {"doi": "10.21203/rs.3.rs-1234/v1"}, {"doi": "10.5555/a"}
    ),
    "PsyArXiv": _pair(TITLE, RYE, TITLE, RYE + MORE, {"doi": "10.31234/osf.io/abcde"}, {"doi": "10.5555/a"}),
    "preprints.org": _pair(
        TITLE, RYE, TITLE, RYE + MORE, {"doi": "10.20944/preprints202001.0001.v1"}, {"doi": "10.5555/a"}
    ),
    "ChemRxiv": _pair(
        TITLE, RYE, TITLE, RYE + MORE, {"doi": "10.26434/chemrxiv-2021-abcde"}, {"doi": "10.5555/a"}
    ),
    "versions of one preprint": _pair(
        TITLE,
        RYE,
        TITLE,
        RYE + MORE,
        {"doi": "10.21203/rs.3.rs-1234/v1"},
        {"doi": "10.21203/rs.3.rs-1234/v2"},
    ),
    "a preprint with a PubMed id": _pair(
        TITLE, RYE, TITLE, RYE + MORE, {"pmid": "1", "status": "preprint"}, {"pmid": "2"}
    ),
    "other years and venues": _pair(
        TITLE, _text(), TITLE, _text(), {"year": 2019, "venue": "A"}, {"year": 2021, "venue": "B"}
    ),
    "one arXiv id, a new title": _pair(
        "Baking bread",
        RYE,
        "On the keeping of rye loaves",
        RYE + MORE,
        BY | {"arxiv_id": "2001.00001"},
        BY | {"arxiv_id": "2001.00001"},
    ),
    "one DOI, a rewritten text": _pair(TITLE, RYE, TITLE, OVENS, {"doi": "10.5555/a"}, {"doi": "10.5555/a"}),
    "one PubMed id": _pair(TITLE, RYE, "Rye", RYE + MORE, BY | {"pmid": "7"}, BY | {"pmid": "7"}),
    "a retraction mark": _pair(f"RETRACTED: {TITLE}", RYE, TITLE, RYE + MORE),
    "a retraction mark behind": _pair(TITLE, RYE, f"{TITLE} [RETRACTED]", RYE),
    "a retraction mark and the DOI": _pair(
        "Rye", RYE, "WITHDRAWN: Rye", RYE + MORE, {"doi": "10.5555/a"}, {"doi": "10.5555/a"}
    ),
    "British spelling": _pair(
        "The colour of rye bread after a month", RYE, "The color of rye bread after a month", RYE
    ),
    "another British spelling": _pair(
        "Modelling the behaviour of resting dough",
        _text(),
        "Modeling the behavior of resting dough",
        _text(),
        BY,
        BY,
    ),
    "a slip of the pen": _pair(
        "Temperature of household ovens and bread",
        OVENS,
        "Temperatrue of household ovens and bread",
        OVENS,
        BY,
        BY,
    ),
    "a wrong letter": _pair(
        "Temperature of household ovens and bread",
        OVENS,
        "Temperatare of household ovens and bread",
        OVENS,
        BY,
        BY,
    ),
    "a slip in the text": _pair(TITLE, _text(), TITLE, _text().replace("measure", "mesure")),
    "a plural": _pair(
        "Heat loss of a household oven", OVENS, "Heat losses of household ovens", OVENS, BY, BY
    ),
    "an extended abstract": _pair(TITLE, RYE + MORE, f"{TITLE} (Extended Abstract)", RYE, BY, BY),
    "a subtitle": _pair(
        "Rye bread keeps", RYE, "Rye bread keeps: a count of mould over a month", RYE, BY, BY
    ),
    "a subtitle and no authors": _pair(
        "Rye bread keeps", RYE, "Rye bread keeps: a count of mould over a month", RYE
    ),
    "no title": _pair("", RYE, "Rye bread keeps", RYE + MORE),
    "an excerpt": _pair("", RYE[:200], "Rye bread keeps", RYE),
    "a rewritten abstract": _pair(TITLE, RYE, TITLE, OVENS),
    "a new name by the same authors": _pair("Counting mould", RYE, "Shelf life of dark loaves", RYE, BY, BY),
    "joined words": _pair(
        "Real-world ovens and their heat", OVENS, "Realworld ovens and their heat", OVENS, BY, BY
    ),
    "numbers of an evaluation": _pair(TITLE, RYE, TITLE, RYE.replace("nineteen", "18")),
    "another name and more": _pair(
        TITLE, _text("people in Kenya"), TITLE, _text("people in Uganda").replace("measure", "weigh"), BY, BY
    ),
    "a novel word": _pair(TITLE, RYE, TITLE, RYE.replace("clean", "fresh")),
}
DIFFERENT = {
    "north and south": _companions("Bread at home: the {} region", "northern", "southern"),
    "men and women": _companions("Home baking among {}", "men", "women"),
    "mice and rats": _companions("Bread crumbs in {}", "mice", "rats"),
    "boys and girls": _companions("Baking lessons for {}", "boys", "girls"),
    "children and adults": _companions("Baking lessons for {}", "children", "adults"),
    "towns": _companions("Bread in {}", "Kassel", "Leipzig"),
    "countries": _companions("Home baking in {}", "Kenya", "Uganda"),
    "cereals": _companions("Storing {} flour at home", "wheat", "barley"),
    "one title, another country": _pair(
        TITLE, _text("people in Kenya"), TITLE, _text("people in Uganda"), BY, BY
    ),
    "one title, another gene": _pair(
        TITLE, _text("carriers of EGFR"), TITLE, _text("carriers of HER2"), BY, BY
    ),
    "part A and B": _companions("Bread at home, Part {}", "A", "B"),
    "part one and two": _companions("Bread at home, part {}", "one", "two"),
    "part I and II": _companions("Bread at home, part {}", "I", "II"),
    "phases": _companions("A phase {} trial of whole meal", "2", "3"),
    "years": _companions("Bread prices in {}", "2018", "2019"),
    "nitrate and nitrite": _companions("Effects of {} on the crust of bread", "nitrate", "nitrite"),
    "hyper and hypo": _companions("Bread and {}", "hypertension", "hypotension"),
    "smokers": _companions("Bread at home among {}", "smokers", "non-smokers"),
    "one text under two numbers": _pair("Bread at home 1", RYE, "Bread at home 2", RYE, BY, BY),
    "one text under two words": _pair("Bread in Kenya", RYE, "Bread in Uganda", RYE, BY, BY),
    "one text, part A and B": _pair("Bread: Part A", RYE, "Bread: Part B", RYE, BY, BY),
    "companions and other DOIs": _pair(
        "Bread in Kenya",
        _text("Kenyans"),
        "Bread in Uganda",
        _text("Ugandans"),
        BY | {"doi": "10.5555/a"},
        BY | {"doi": "10.5555/b"},
    ),
    "other DOIs": _pair(TITLE, RYE, TITLE, RYE + MORE, BY | {"doi": "10.5555/a"}, BY | {"doi": "10.5555/b"}),
    "other arXiv ids": _pair(
        TITLE, RYE, TITLE, RYE + MORE, BY | {"arxiv_id": "2001.00001"}, BY | {"arxiv_id": "2001.00002"}
    ),
    "other PubMed ids": _pair(TITLE, RYE, TITLE, RYE + MORE, BY | {"pmid": "1"}, BY | {"pmid": "2"}),
    "other preprints of one server": _pair(
        TITLE, RYE, TITLE, RYE + MORE, {"doi": "10.2139/ssrn.1"}, {"doi": "10.2139/ssrn.2"}
    ),
    "other DOIs of Cold Spring Harbor": _pair(
        TITLE, RYE, TITLE, RYE + MORE, {"doi": "10.1101/gr.1234.111"}, {"doi": "10.1101/gad.5678.112"}
    ),
    "one title and a word of the text": _pair(
        "Bread at home", _text("men"), "Bread at home", _text("women"), BY, BY
    ),
    "one title, a year in the text": _pair(
        TITLE, RYE + " It was 2018.", TITLE, RYE + " It was 2019.", BY, BY
    ),
    "no titles and a word of the text": _pair("", _text("millers"), "", _text("bakers")),
    "an erratum": _pair(TITLE, RYE, f"Erratum: {TITLE}", RYE, BY, BY),
    "a corrigendum": _pair(TITLE, RYE, f"Corrigendum to “{TITLE}”", RYE, BY, BY),
    "a retraction notice": _pair(
        TITLE, RYE, f"Retraction notice to “{TITLE}” [Bread 3 (2014) 5]", RYE, BY, BY
    ),
    "an expression of concern": _pair(TITLE, RYE, f"Expression of concern: {TITLE}", RYE, BY, BY),
    "a reply": _pair(TITLE, RYE, f"{TITLE}: authors' reply", RYE, BY, BY),
    "a comment": _pair(TITLE, RYE, f"Comment on “{TITLE}”", RYE, BY, BY),
    "a protocol": _pair(TITLE, RYE, f"{TITLE}: study protocol", RYE, BY, BY),
    "a generic title": _pair("Editorial", RYE, "Editorial", OVENS),
    "a generic title and text": _pair(
        "Editorial",
        "This issue is on bread.",
        "Editorial",
        "This issue is on bread.",
        {"doi": "10.5555/a"},
        {"doi": "10.5555/b"},
    ),
    "one title by other people": _pair(TITLE, RYE, TITLE, OVENS, {"authors": PETRA}, {"authors": OTTO}),
    "a volume's DOI": _pair("On bread", RYE, "On ovens", OVENS, {"doi": "10.5555/v"}, {"doi": "10.5555/v"}),
    "companions under a volume's DOI": _pair(
        "Home baking among men",
        _text("men"),
        "Home baking among women",
        _text("women"),
        BY | {"doi": "10.5555/v"},
        BY | {"doi": "10.5555/v"},
    ),
    "one number of two files": _pair(
        "Home baking among men",
        _text("men"),
        "Home baking among women",
        _text("women"),
        {"id": "1"},
        {"id": "1"},
    ),
}


def _records(pair) -> list[Paper]:
    return [
        Paper(**({"id": f"p{n}"} | fields), sources=(Source(path="a", record=n),))
        for n, fields in enumerate(pair, 1)
    ]


@pytest.mark.parametrize("name", SAME)
def test_one_paper_becomes_one(name):
    """Two records of one paper are merged with a reason, in either order."""
    records = _records(SAME[name])
    assert len(merge_papers(records)) == len(merge_papers(records[::-1])) == 1
    assert why_merged(records)[0].startswith(("the same", "nearly the same"))


@pytest.mark.parametrize("name", DIFFERENT)
def test_two_papers_stay_two(name):
    """Companions, notices and papers with other identifiers stay apart, in either order."""
    records = _records(DIFFERENT[name])
    assert len(merge_papers(records)) == len(merge_papers(records[::-1])) == 2


def test_a_third_record_does_not_join_two_papers():
    """A record without identifiers joins one of two papers of its title that have different DOIs, not both."""
    pair = DIFFERENT["other DOIs"]
    records = _records([*pair, {"title": TITLE, "abstract": RYE, "authors": PETRA}])
    assert sorted(len(paper.sources) for paper in merge_papers(records)) == [1, 2]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("colour", "color", True),
        ("behaviour", "behavior", True),
        ("centre", "center", True),
        ("analyse", "analyze", True),
        ("bandits", "bandit", True),
        ("recieve", "receive", True),
        ("mice", "rice", False),
        ("abduction", "adduction", False),
        ("afferent", "efferent", False),
        ("typical", "atypical", False),
        ("nitrate", "nitrite", False),
        ("gpt2", "gpt3", False),
    ],
)
def test_spellings_are_told_from_other_words(one, other, same):
    """A letter more, two exchanged or an English spelling are one word; a short word's or a first letter is another."""
    assert same_word(one, other) is same
    assert same_word(other, one) is same


def test_edits_are_found_in_order():
    """Differences of texts are found word by word, and None if they have too little in common."""
    edits = find_edits("we ask men in the north today".split(), "we ask young women in the north".split())
    assert [(edit.here, edit.there) for edit in edits] == [(("men",), ("young", "women")), (("today",), ())]
    assert find_edits(RYE.split(), OVENS.split()) is None


def test_hostile_texts_are_compared_quickly():
    """Thousands of equal words with a few others among them are compared in one pass."""
    here = ["a"] * 50_000 + ["b"] + ["a"] * 50_000
    there = ["a"] * 49_000 + ["c"] + ["a"] * 51_000
    assert find_edits(here, there) is not None
