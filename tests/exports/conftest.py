"""What the tests of exports share: papers and answers in a line."""

import pytest

from rag_qa.corpus.reading import read_source
from rag_qa.corpus.sources import SourceFile
from rag_qa.types import Answer, Citation, Paper, Sentence, Verdict

ABSTRACT = "We let forty loaves rise in the dark. Light made no difference."


@pytest.fixture
def make_paper():
    """A function that returns a paper, with the fields given."""

    def make(**fields):
        return Paper.model_validate({"id": "p", "title": "On bread", "abstract": ABSTRACT, **fields})

    return make


@pytest.fixture
def make_answer():
    """A function that returns an answer of one sentence of prose on papers, citing the opening of each."""

    def make(*papers, text="Light does not matter.", label="supported", **fields):
        cited = [paper.abstract.split(". ")[0] for paper in papers]
        citations = tuple(
            Citation(paper_id=paper.id, quote=quote, start=0, end=len(quote))
            for paper, quote in zip(papers, cited, strict=True)
        )
        sentence = Sentence(
            text=text, kind="prose", citations=citations, verdict=Verdict(label=label, probability=0.9)
        )
        values = {
            "question": "Does light matter?",
            "abstained": not papers,
            "reason": None if papers else "no paper found is about it",
            "sentences": (sentence,) if papers else (),
            "papers": papers,
            "provenance": {},
            "timings": {},
        }
        return Answer.model_validate(values | fields)

    return make


@pytest.fixture
def read_back():
    """A function that returns the papers that our own readers find in a text, skipping nothing."""

    def read(text, format=None):
        reading = read_source(SourceFile(path="-", digest="", content=text.encode("utf-8")), format)
        assert reading.skipped == ()
        return list(reading.papers)

    return read
