"""Calibrating: questions made of papers, their twins, and the threshold that they give."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_qa.errors import PaperIndexError
from rag_qa.evaluation.calibrating import MIN_PAPERS, Measured, fit, lowest_threshold, measure, questions_of
from rag_qa.evaluation.curves import draw_curve, render_curve
from rag_qa.types import Paper

COUNTING = Paper(
    id="c",
    title="Counting wild bees along quiet rivers",
    abstract="Wild bees were counted along quiet northern rivers. We found 42 nests beside old willow trees.",
)
TALKING = Paper(
    id="t", title="", abstract="Tides turn slowly where northern harbours lie behind old islands."
)


class Library:
    """Papers, each of which has questions of its own."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.asked: list[tuple[str, str]] = []

    def papers(self):
        return iter([COUNTING.model_copy(update={"id": f"p{n}"}) for n in range(self.count)])

    def confidences(self, question, held_out, /):
        self.asked.append((question, held_out))
        return 0.9, 0.2


def test_a_paper_gives_a_question_for_papers_and_one_for_its_number():
    """The title asks for papers; a sentence that counts things asks how many, without the number."""
    which, number = questions_of(COUNTING, random.Random(0))
    assert which.startswith("Which papers are about ")
    assert number.startswith("How many nests: ")
    assert "42" not in number


def test_a_question_holds_only_some_of_the_words():
    """Half of the words are left out, so that no question is a verbatim title or sentence."""
    which, _ = questions_of(COUNTING, random.Random(0))
    assert len(set(which.rstrip("?").split()) & set(COUNTING.title.split())) == 3


def test_a_paper_without_title_and_number_gives_a_question_for_a_fact():
    """Without a title there is no question for papers, without a number one of what is said."""
    (question,) = questions_of(TALKING, random.Random(0))
    assert question.startswith("What is said of ")


def test_every_question_is_asked_with_and_without_its_paper():
    """The sample is asked paper by paper, each held out of its own questions, and progress is reported."""
    library, steps = Library(MIN_PAPERS), []
    measured = measure(library, progress=lambda *step: steps.append(step))
    assert len(measured) == len(library.asked) == 2 * MIN_PAPERS
    assert {held_out for _, held_out in library.asked} == {f"p{n}" for n in range(MIN_PAPERS)}
    assert steps[-1] == ("asking", MIN_PAPERS, MIN_PAPERS)


def test_the_same_index_gives_the_same_questions():
    """Questions are drawn with a seed, so that a calibration can be repeated."""
    first, second = Library(30), Library(30)
    measure(first)
    measure(second)
    assert first.asked == second.asked


def test_too_few_papers_are_an_error():
    """An index with too few abstracts is not calibrated, and the message says how many it takes."""
    with pytest.raises(PaperIndexError, match=f"holds 3 papers.*takes {MIN_PAPERS}.*rag-qa index"):
        measure(Library(3))


@given(
    confidences=st.lists(st.floats(0, 1), min_size=1, max_size=30),
    wanted=st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0]),
)
def test_a_threshold_never_answers_more_than_wanted(confidences, wanted):
    """No more than the wanted share reaches the threshold, whatever the ties, unless all are exactly sure."""
    threshold = lowest_threshold(confidences, wanted)
    assert 0 <= threshold <= 1
    if max(confidences) < 1:
        assert sum(c >= threshold for c in confidences) <= wanted * len(confidences)


def test_the_fit_reports_both_errors():
    """At the threshold fitted, the shares of twins answered and of questions refused are what the data give."""
    measured = [
        Measured("?", sure, unsure) for sure, unsure in [(0.9, 0.1), (0.8, 0.2), (0.3, 0.7), (0.6, 0.4)]
    ]
    report = fit(measured, 0.25)
    found = report.calibration
    assert 0.4 < found.threshold < 0.7
    assert (found.false_answers, found.false_refusals, found.questions) == (0.25, 0.25, 8)
    assert report.auroc == 13 / 16


def test_a_curve_is_a_table_and_a_drawing():
    """The table ends at full coverage, and the drawing needs nothing but itself."""
    report = fit([Measured("?", 0.9, 0.1), Measured("?", 0.7, 0.3)], 0.5)
    assert "| 1.000 | 0.500 |" in " ".join(render_curve(report).splitlines()[-1].split())
    drawing = draw_curve(report)
    assert drawing.startswith("<svg")
    assert all(part in drawing for part in ("polyline", "<circle"))
    assert "href" not in drawing
