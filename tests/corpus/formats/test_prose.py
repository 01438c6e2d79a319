"""Markdown and plain text: an abstract is read if it can be recognised, and nothing is guessed."""

import pytest

KNIT = "We knit a scarf of graphs in a cold winter. It keeps the nodes warm."


@pytest.mark.parametrize(
    "text",
    [
        f"Knitting graphs\n\nWilma Weaver and Lou van der Mug\n\n{KNIT}\n",
        f"# Knitting graphs\n\n*Wilma Weaver, Lou van der Mug*\n\n## Abstract\n\n{KNIT}\n\n## Introduction\n\nWool.\n",
        f"Knitting graphs\n===============\n\nWilma Weaver, Lou van der Mug\n\nAbstract\n--------\n{KNIT}\n",
        f"---\ntitle: Knitting graphs\nauthor: [Wilma Weaver, Lou van der Mug]\ntags: [wool]\n---\n\n{KNIT}\n",
        f"Title: Knitting graphs\nAuthors: Weaver, Wilma; van der Mug, Lou\nAbstract: {KNIT}\nKeywords: wool\n",
        f"# Knitting graphs\n\n**Authors:** Wilma Weaver, Lou van der Mug\n\n**Abstract:** {KNIT}\n\n**Keywords:** w\n",
        f"Knitting graphs\nBy Wilma Weaver and Lou van der Mug\n\nABSTRACT\n{KNIT}\n\n1. Introduction\nWool is old.\n",
    ],
    ids=["paragraphs", "markdown", "underlined", "front matter", "labels", "bold labels", "capitals"],
)
def test_title_names_and_abstract_are_told_apart(read, text):
    """Headings, labels or position give the title, the authors and just the abstract."""
    (paper,) = read(text).papers
    assert (paper.title, paper.abstract) == ("Knitting graphs", KNIT)
    assert paper.authors == ("Wilma Weaver", "Lou van der Mug")


def test_several_labelled_abstracts_are_several_papers(read):
    """Each title begins a paper of its own."""
    papers = read(f"Title: A\nAbstract: {KNIT}\n\nTitle: B\nYear: 2021\nAbstract: We purl.\n").papers
    assert [(paper.title, paper.year) for paper in papers] == [("A", None), ("B", 2021)]
    papers = read(f"# A\n\n## Abstract\n{KNIT}\n\n# B\n\n## Abstract\nWe purl.\n").papers
    assert [(paper.title, paper.abstract) for paper in papers] == [("A", KNIT), ("B", "We purl.")]


@pytest.mark.parametrize(
    "text",
    [
        "just some prose",
        "milk\neggs\nbread\n",
        "# My tool\n\nThis tool does many things for many people, and does them well.\n\n## Install\n\nRun it.\n",
        "import os\n\ndef main():\n    print('This is a program that prints a long sentence to the screen.')\n",
        "Chapter 1\n\n" + KNIT * 100,
    ],
    ids=["words", "list", "readme", "program", "book"],
)
def test_what_shows_no_abstract_is_told(read, text):
    """Lists, programs, manuals and long texts are skipped with a reason, never taken for abstracts."""
    reading = read(text)
    assert not reading.papers
    assert reading.skipped[0].reason
