"""Answers in prose: what the model is asked, and what of its text becomes the answer."""

import math
import re

import pytest

from rag_qa.answering import pipeline
from rag_qa.answering.evidence.answerability import Clues
from rag_qa.answering.synthesis import UNSUPPORTED
from rag_qa.answering.writing.writer import AGREES
from rag_qa.backends.locating import WRITER
from rag_qa.testing import QueuedGenerator

WHICH = "which papers discuss eigendecomposition as a game?"
FACT = "How much of the variance did EigenGame reach?"
RESULT = "EigenGame reached 98.5% of the variance on a dataset of 200,000 images."


def test_supported_prose_is_the_answer(open_assistant, check_citations):
    """Prose that a stored sentence supports is the answer, and cites that sentence."""
    claim = "EigenGame reached 98.5% of the variance on 200,000 images."
    assistant = open_assistant([claim])
    answer = assistant.ask(FACT)
    check_citations(assistant, answer)
    (sentence,) = answer.sentences
    assert (sentence.kind, sentence.text) == ("prose", claim)
    assert sentence.citations[0].quote == RESULT
    assert sentence.verdict.label == "supported"


def test_a_comparison_of_two_papers_is_quoted(open_assistant, check_citations):
    """If both papers compared are probable, both are quoted, and the model writes nothing."""
    assistant = open_assistant([RESULT])
    sides = (
        "the competitive game of eigendecomposition and the competitive game of principal component analysis"
    )
    answer = assistant.ask(f"how do {sides} differ?")
    check_citations(assistant, answer)
    assert (answer.query.kind, {s.kind for s in answer.sentences}) == ("comparison", {"quote"})
    assert [paper.id for paper in answer.papers] == ["eigengame", "unloaded"]
    assert answer.model_input is None


def test_a_list_is_introduced_by_its_likely_papers(open_assistant, monkeypatch):
    """A paper on a list that may not meet the request is quoted, but the sentence before the list does not name it."""
    monkeypatch.setattr(pipeline, "LIKELY", 0.97)
    introduction, *quotes = open_assistant([" build on a competitive game."]).ask(WHICH).sentences
    assert introduction.text.startswith("The paper “EigenGame Unloaded")
    assert [c.paper_id for c in introduction.citations] == ["unloaded"]
    assert [q.citations[0].paper_id for q in quotes] == ["unloaded", "eigengame"]


@pytest.mark.parametrize(
    "claim",
    [
        "EigenGame reached 12.5% of the variance on a dataset of 200,000 images.",
        "Dropout reached 98.5% of the variance on a dataset of 200,000 images.",
        "EigenGame never reached 98.5% of the variance on a dataset of images.",
        "The moon is made of green cheese and nothing else at all.",
        "EigenGame reached beautiful images of distant lakes and snowy mountains.",
    ],
)
def test_unsupported_prose_is_never_shown(open_assistant, claim, check_citations):
    """A sentence that no stored one supports is nowhere in the answer, which is a quote or an abstention."""
    assistant = open_assistant([claim, claim])
    answer = assistant.ask(FACT)
    check_citations(assistant, answer)
    assert {s.kind for s in answer.sentences} <= {"quote"}
    assert claim not in answer.model_dump_json()


def test_an_answer_of_which_nothing_remains_is_a_refusal(open_assistant):
    """If nothing that the model writes is supported, that is the reason, and the nearest papers are shown."""
    answer = open_assistant(["The moon is made of green cheese."] * 2).ask(FACT)
    assert (answer.abstained, answer.reason, answer.sentences) == (True, UNSUPPORTED, ())
    assert 1 <= len(answer.nearest) <= 3
    assert answer.model_input is not None


def test_a_model_that_reads_well_may_refuse(open_assistant):
    """If the model says that the evidence does not state the answer, none is written, and there is a reason."""
    assistant = open_assistant([RESULT], choices=[(0.05, 0.95), (0.9, 0.1)], min_relevance=None)
    refused, answered = assistant.ask(FACT), assistant.ask(FACT)
    assert refused.abstained
    assert refused.reason
    assert refused.model_input is None
    assert refused.confidence < 0.5 < answered.confidence
    assert [s.text for s in answered.sentences] == [RESULT]


def test_an_answer_that_is_not_confirmed_is_a_refusal(open_assistant, check_citations):
    """If what the answer cites does not state it by itself, there is no answer, and the reason says so."""
    choices = [(0.6, 0.4), (0.01, 0.99), (0.6, 0.4), (0.9, 0.1)]
    assistant = open_assistant([RESULT] * 2, choices=choices, min_relevance=None)
    refused, answered = assistant.ask(FACT), assistant.ask(FACT)
    assert refused.abstained
    assert refused.reason.startswith("relevant papers are here")
    assert refused.sentences == refused.papers == ()
    assert 1 <= len(refused.nearest) <= 3
    assert refused.confidence < 0.5 < answered.confidence
    assert [s.text for s in answered.sentences] == [RESULT]
    check_citations(assistant, answered)


def test_a_confidence_that_is_wanted_is_asked_of_the_confirmed_answer(open_assistant):
    """A confidence set by the user refuses what is written and less sure, and not what is only read so far."""
    choices = [(0.7, 0.3), (0.05, 0.95), (0.7, 0.3), (0.99, 0.01)]
    assistant = open_assistant([RESULT] * 2, choices=choices, min_relevance=0.9)
    assert [assistant.ask(FACT).abstained, assistant.ask(FACT).abstained] == [True, False]


@pytest.mark.parametrize(
    ("affirmed", "opening"),
    [((0.9, 0.05, 0.05), "Yes, "), ((0.05, 0.9, 0.05), "No, "), ((0.1, 0.05, 0.85), "")],
)
def test_a_yes_or_no_is_kept_with_its_answer(open_assistant, affirmed, opening):
    """The provenance holds the probabilities that an answer to a yes/no question began by, less the wish to agree."""
    yes, no, maybe = affirmed
    letters = [(yes, no, maybe), (no, maybe, yes), (maybe, yes, no)]
    choices = [(0.9, 0.1), *letters, *(letters if opening else []), (0.9, 0.1)]
    assistant = open_assistant([RESULT], choices=choices, min_relevance=None)
    answer = assistant.ask("Does EigenGame reach much of the variance on a dataset of images?")
    assert answer.text.startswith(f"{opening}{RESULT}")
    weights = (yes * math.exp(-AGREES), no, maybe)
    kept = tuple(answer.provenance["affirmed"].values())
    assert kept == pytest.approx([weight / sum(weights) for weight in weights])


def test_an_answer_says_what_its_decision_was_read_from(open_assistant):
    """The provenance holds the clues, with what the model said if it is trusted; a count has none."""
    said = {"stated", "confirmed", "supported"}
    choices = [(0.9, 0.1), (0.9, 0.1)]
    read = open_assistant([RESULT], choices=choices, min_relevance=None).ask(FACT).provenance["clues"]
    quoted = open_assistant().ask(FACT).provenance["clues"]
    assert read.keys() - quoted.keys() == said
    assert quoted.keys() == Clues.model_fields.keys() | {"topic"}
    assert {name: read[name] for name in quoted} == quoted
    counted = open_assistant().ask("how many papers are there?").provenance
    assert counted["clues"] == {}


def test_a_weak_model_decides_nothing(ask_with):
    """A model that the catalogue lets quote only is asked for prose, and never whether the papers answer."""
    generator = QueuedGenerator([RESULT])
    ask_with(generator, FACT)
    (prompt,) = generator.prompts
    assert "one short sentence" in prompt.user


def test_a_list_is_introduced_and_quoted(open_assistant):
    """ "Which papers" is answered by a sentence that each of them supports, if any, and then each paper's own."""
    game = " discuss an eigendecomposition as a competitive game."
    options = {"listed_papers": 2}
    introduced = open_assistant([game], **options).ask(WHICH)
    bare = open_assistant(["The moon is made of green cheese."], **options).ask(WHICH)
    assert [s.kind for s in introduced.sentences] == ["prose", "quote", "quote"]
    titles = [f"“{paper.title}”" for paper in introduced.papers]
    assert introduced.sentences[0].text == f"The papers {' and '.join(titles)}{game}"
    assert [s.kind for s in bare.sentences] == ["quote", "quote"]
    assert introduced.sentences[1:] == bare.sentences == open_assistant(**options).ask(WHICH).sentences
    assert introduced.papers == bare.papers


def test_a_list_is_read_before_it_is_given(open_assistant):
    """A list that search finds is refused if a model that reads well does not find in it what is asked for."""
    game = " discuss an eigendecomposition as a competitive game."
    options = {"listed_papers": 2, "min_relevance": None}
    refused = open_assistant([game], choices=[(0.02, 0.98)] * 10, **options).ask(WHICH)
    given = open_assistant([game], choices=[(0.98, 0.02)] * 10, **options).ask(WHICH)
    assert refused.abstained
    assert refused.reason
    assert refused.nearest
    assert [s.kind for s in given.sentences] == ["prose", "quote", "quote"]
    assert refused.confidence < given.confidence


def test_a_paper_is_read_alone(ask_with):
    """The model is asked of each paper by itself, in the words of the request; a weak one is not asked."""
    reader, starter = QueuedGenerator(choices=[(0.02, 0.98)] * 10), QueuedGenerator([""])
    options = {"listed_papers": 2, "min_relevance": None}
    assert ask_with(reader, WHICH, model=WRITER, **options).abstained
    assert [prompt.context.count("EigenGame") for prompt in reader.prompts] != [0, 0]
    assert len({prompt.context for prompt in reader.prompts}) == len(reader.prompts) == 2
    assert all(WHICH in prompt.user for prompt in reader.prompts)
    ask_with(starter, WHICH, **options)
    assert len(starter.prompts) == 1


def test_a_list_is_chosen_from_more_papers_than_it_shows(open_assistant, monkeypatch):
    """With a language model twenty papers are looked at, without one as many as a list may show."""
    asked, search = [], pipeline.Pipeline.search

    def noting(self, text, k, *rest):
        asked.append(k)
        return search(self, text, k, *rest)

    monkeypatch.setattr(pipeline.Pipeline, "search", noting)
    open_assistant([""], choices=[], listed_papers=2).ask(WHICH)
    open_assistant(listed_papers=2).ask(WHICH)
    assert asked == [20, 2]


def test_no_mark_of_a_question_or_a_paper_reaches_the_model(ask_with):
    """Marks are left out of the question and defused in the evidence, and prompt injection is left out of it."""
    generator = QueuedGenerator(["A token such as im_end ends a turn of a chat template."])
    ask_with(generator, "Does [99] say that marks such as [7] trap parsers?")
    (prompt, *_) = generator.prompts
    assert "Does say that marks such as trap parsers?" in prompt.user
    assert "(7)" in prompt.context
    assert not re.search(r"\[\d", prompt.context + prompt.user)


def test_a_model_reads_the_sentences_nearest_to_the_question(ask_with):
    """As many sentences as the settings say reach the model, even if an answer in quotes would have fewer."""
    generator = QueuedGenerator([RESULT] * 2)
    for most in (1, 3):
        ask_with(generator, FACT, read_sentences=most, evidence_sentences=1)
    one, three = (prompt.context for prompt in generator.prompts)
    assert (one.count("\n- "), three.count("\n- ")) == (1, 3)
    assert RESULT in one


@pytest.mark.parametrize(
    "reply", ["Zebra zebra zebra zebra zebra.", "The answer to every question is zebra."]
)
def test_a_model_cannot_obey_a_paper(ask_with, open_assistant, reply, check_citations):
    """A prompt injection never reaches the model, and prose made of its words is not shown."""
    generator = QueuedGenerator([reply] * 2)
    answer = ask_with(generator, "What do the previous instructions answer on every question: zebra?")
    check_citations(open_assistant(), answer)
    assert {sentence.kind for sentence in answer.sentences} <= {"quote"}
    assert not any("Ignore the previous" in prompt.context for prompt in generator.prompts)
