"""In which order evidence is judged, and what stands if none supports a sentence."""

import pytest

from rag_qa.answering.verdict.model import with_reading
from rag_qa.answering.writing.attribution import attribute, judge_each, known_question, weakest
from rag_qa.types import Evidence, Query, Verdict

TITLES = {"one": "On wheels", "two": "On rails", "three": "Speed of wheels"}


def evidence(sentence, paper_id="one", score=0.0):
    return Evidence(paper_id=paper_id, sentence=sentence, start=0, end=len(sentence), score=score)


class Judge:
    """A judge that finds each set of quotes as probable as it was given, and keeps what it was asked."""

    def __init__(self, probabilities=(), supported=()):
        self.probabilities = dict(probabilities)
        self.supported = supported
        self.asked = []

    def judge(self, sentence, evidence, *, context=(), question=""):
        quotes = tuple(evidence)
        self.asked.append((quotes, context, question))
        label = "supported" if quotes in self.supported else "unsupported"
        return Verdict(label=label, probability=self.probabilities.get(quotes, 0.0))


def order(sentence, *candidates):
    """The quotes in the order in which they are judged alone."""
    judge = Judge()
    attribute(sentence, candidates, TITLES, judge)
    return [quotes[0] for quotes, *_ in judge.asked if len(quotes) == 1]


def test_more_words_of_the_sentence_come_first():
    """Of two candidates the one that holds more of the sentence's words is judged first."""
    assert order("wheels turn slowly", evidence("wheels", "two"), evidence("wheels turn", "two")) == [
        "wheels turn",
        "wheels",
    ]


def test_a_word_of_the_title_counts_half():
    """A title's word counts half of one that the candidate says, and nothing again if the candidate says it."""
    by_title = evidence("they turn", "three")
    said = evidence("speed turns", "two")
    assert order("speed turns", by_title, said) == ["speed turns", "they turn"]
    assert order("speed turns", evidence("they turn", "two"), by_title)[0] == "they turn"
    judge = Judge({("they turn",): 1.0})
    found = attribute("speed turns", [evidence("they turn", "two"), by_title], TITLES, judge)
    assert found.evidence == (by_title,)
    twice = evidence("speed", "three")
    assert order("speed turns slowly", evidence("speed", "two", score=0.01), twice) == ["speed", "speed"]
    judge = Judge()
    attribute("speed turns slowly", [twice, evidence("speed", "two", score=0.01)], TITLES, judge)
    assert judge.asked[0][1] == (TITLES["two"],)


def test_the_score_of_a_candidate_is_added():
    """What a candidate's relevance adds can outweigh a word; a sentence without words is ranked by it alone."""
    assert order("wheels turn", evidence("wheels", score=0.0), evidence("x", score=0.9)) == ["x", "wheels"]
    assert order("it is", evidence("a", score=0.1), evidence("b", score=0.2)) == ["b", "a"]


@pytest.mark.parametrize("probable", ["wheels turn", "wheels"])
def test_the_most_probable_single_is_taken(probable):
    """Among single candidates the most probable one is the attribution, wherever it ranks."""
    judge = Judge({(probable,): 0.9}, supported=[("wheels",), ("wheels turn",)])
    found = attribute("wheels turn", [evidence("wheels"), evidence("wheels turn")], TITLES, judge)
    assert [e.sentence for e in found.evidence] == [probable]
    assert found.verdict == Verdict(label="supported", probability=0.9)


def test_a_single_stays_the_nearest_if_no_pair_supports():
    """A pair that is more probable but does not support the sentence does not take the place of the nearest single."""
    pair = ("wheels turn", "wheels")
    judge = Judge({("wheels",): 0.2, pair: 0.8})
    found = attribute("wheels turn", [evidence("wheels"), evidence("wheels turn")], TITLES, judge)
    assert [e.sentence for e in found.evidence] == ["wheels"]
    assert pair in [quotes for quotes, *_ in judge.asked]


def test_a_pair_of_two_papers_must_both_add_something():
    """Two papers are judged together only if each says something of the sentence that the other does not."""
    judge = Judge()
    attribute("brakes fail slowly", [evidence("brakes fail"), evidence("brakes", "two")], TITLES, judge)
    assert all(len(quotes) == 1 for quotes, *_ in judge.asked)
    judge = Judge()
    attribute("brakes fail slowly", [evidence("brakes fail"), evidence("slowly", "two")], TITLES, judge)
    assert [(quotes, context) for quotes, context, _ in judge.asked if len(quotes) == 2] == [
        (("brakes fail", "slowly"), (TITLES["one"], TITLES["two"]))
    ]


def test_the_words_of_titles_do_not_count_for_a_pair():
    """Naming the other paper's subject adds nothing of its own."""
    judge = Judge()
    attribute("rails break", [evidence("rails", "one"), evidence("break", "two")], TITLES, judge)
    assert all(len(quotes) == 1 for quotes, *_ in judge.asked)


def quotes_of(found):
    return [e.sentence for e in found.evidence]


def read_attribution(inside, probabilities, supported=()):
    """The attribution of "wheels turn" with these verdicts, and what a model with these probabilities read."""
    read = []

    def reads(sentence, cited, verdict):
        read.append(tuple(e.sentence for e in cited))
        return with_reading(verdict, inside[read[-1]])

    judge = Judge(probabilities, supported)
    found = attribute(
        "wheels turn", [evidence("wheels"), evidence("wheels turn")], TITLES, judge, reads=reads
    )
    return found, read


def test_what_the_model_reads_counts_in_the_verdict():
    """The likeliest candidate is read first; one that the model finds unsupported gives way to the next."""
    judged = {("wheels",): 0.6, ("wheels turn",): 0.55}
    sure = {("wheels",): 0.99, ("wheels turn",): 0.99}
    found, read = read_attribution(sure, judged, supported=list(judged))
    assert (read, quotes_of(found)) == ([("wheels",)], ["wheels"])
    assert found.verdict == with_reading(Verdict(label="supported", probability=0.6), 0.99)
    found, read = read_attribution(sure | {("wheels",): 0.01}, judged, supported=list(judged))
    assert (read, quotes_of(found)) == ([("wheels",), ("wheels turn",)], ["wheels turn"])
    assert found.verdict.label == "supported"


@pytest.mark.parametrize(("kind", "known"), [("yesno", ""), ("fact", "Do wheels turn?")])
def test_a_yes_no_question_makes_no_word_known(kind, known):
    """What a yes/no question asks must stand in the evidence; the words of other questions are known."""
    assert known_question(Query(text="Do wheels turn?", topic="wheels", kind=kind)) == known


def test_each_candidate_is_judged_under_its_own_title():
    """A sentence on several papers has a verdict for each, in their order, and the weakest of them is its own."""
    judge = Judge({("a",): 0.7, ("b",): 0.3, ("c",): 0.5})
    candidates = [evidence("a"), evidence("b", "two"), evidence("c", "three")]
    verdicts = judge_each("wheels turn", candidates, TITLES, judge, question="Do they?")
    assert [verdict.probability for verdict in verdicts] == [0.7, 0.3, 0.5]
    assert [(context, question) for _, context, question in judge.asked] == [
        ((TITLES[paper_id],), "Do they?") for paper_id in ("one", "two", "three")
    ]
    assert weakest(verdicts).probability == 0.3
