"""Which evidence a written sentence cites."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_qa.answering.verdict.model import Verifier
from rag_qa.answering.writing.attribution import PAIRS, SINGLES, attribute
from rag_qa.testing import HashingEmbedder
from rag_qa.types import Evidence, Verdict

TITLES = {"bees": "BeeDance: a dance of bees", "soup": "On onion soup"}
DANCE = "The foragers tell the others by a dance where flowers stand."
SUN = "It is read against the angle of the sun at 45 degrees."
ONIONS = "Onions are fried in butter before the stock goes in."


def evidence(sentence, paper_id="bees", score=0.0):
    return Evidence(paper_id=paper_id, sentence=sentence, start=0, end=len(sentence), score=score)


CANDIDATES = [evidence(ONIONS, "soup", 0.2), evidence(SUN), evidence(DANCE)]


class Recorder:
    """A judge that supports a sentence by exactly one set of quotes, and keeps what it was asked."""

    def __init__(self, *supporting):
        self.supporting = set(supporting)
        self.asked = []
        self.questions = []

    def judge(self, sentence, evidence, *, context=(), question=""):
        self.questions.append(question)
        self.asked.append((tuple(evidence), tuple(context)))
        if set(evidence) == self.supporting:
            return Verdict(label="supported", probability=0.9)
        return Verdict(label="unsupported", probability=0.1 + 0.01 * len(evidence))


class Everything:
    """A judge that gives every sentence one label, and keeps the evidence that it was asked about."""

    def __init__(self, label):
        self.label = label
        self.asked = []

    def judge(self, sentence, evidence, *, context=(), question=""):
        self.asked.append(tuple(evidence))
        return Verdict(label=self.label, probability=0.5)


def attributed(sentence, candidates=CANDIDATES, judge=None):
    return attribute(sentence, candidates, TITLES, judge or Verifier(HashingEmbedder()))


def quotes(found):
    return [e.sentence for e in found.evidence]


def test_a_sentence_cites_the_one_that_supports_it():
    """A sentence that one candidate supports cites that one alone, with its verdict."""
    found = attributed("Foragers tell others by a dance where flowers stand.")
    assert quotes(found) == [DANCE]
    assert found.verdict.label == "supported"
    assert [c.quote for c in found.citations] == [DANCE]


def test_a_sentence_of_two_sources_cites_both():
    """A sentence that only two candidates support together cites these two, and no third."""
    found = attributed(
        "By a dance the foragers tell others where flowers stand, at 45 degrees of the sun angle."
    )
    assert sorted(quotes(found)) == sorted([DANCE, SUN])
    assert found.verdict.label == "supported"


def test_a_result_of_one_paper_is_not_anothers():
    """A name from one paper and a result from another do not together support that the one has the other's result."""
    result = "EigenGame reached 98.5% of the variance on a dataset of 200,000 images."
    removes = "Dropout removes units of a network at random during training."
    titles = {"game": "EigenGame: PCA as a Nash equilibrium", "drop": "Dropout in deep networks"}
    claim = result.replace("EigenGame", "Dropout")
    pieces = [evidence(result, "game"), evidence(removes, "drop")]
    assert attribute(claim, pieces, titles, Verifier(HashingEmbedder())).verdict.label != "supported"
    both = "Foragers tell the others by a dance, and onions are fried in butter before the stock goes in."
    found = attributed(both)
    assert found.verdict.label == "supported"
    assert sorted(quotes(found)) == sorted([DANCE, ONIONS])


def test_the_title_of_the_paper_counts():
    """A sentence that calls the paper's subject by the name in its title is supported by a quote that says "it"."""
    found = attributed("BeeDance is read against the angle of the sun at 45 degrees.")
    assert quotes(found) == [SUN]
    assert found.verdict.label == "supported"
    other = {**TITLES, "bees": "On bees"}
    judge = Verifier(HashingEmbedder())
    assert attribute("BeeDance is read against the sun at 45 degrees.", CANDIDATES, other, judge) is None


def test_the_nearest_is_returned_if_nothing_supports():
    """A sentence that nothing supports is given with the candidate that comes nearest, and the reasons."""
    found = attributed("The foragers tell the others by a dance where 300 flowers stand.")
    assert quotes(found) == [DANCE]
    assert found.verdict.label == "unsupported"
    assert "the number 300 is not in the source" in found.verdict.reasons


def test_without_candidates_nothing_is_cited():
    """Without evidence there is no attribution, and nothing is judged."""
    assert attributed("Bees dance.", [], Recorder()) is None


def test_one_is_judged_before_two():
    """Singles come first, pairs only where no single supports, each under the titles of its own papers."""
    judge = Recorder(DANCE)
    attributed("Foragers dance.", judge=judge)
    assert {len(asked) for asked, _ in judge.asked} == {1}
    assert dict(judge.asked)[(ONIONS,)] == (TITLES["soup"],)
    judge = Recorder(DANCE, ONIONS)
    found = attributed("Foragers fry onions.", judge=judge)
    assert sorted(quotes(found)) == sorted([DANCE, ONIONS])
    assert all(
        context == tuple(TITLES["soup" if quote == ONIONS else "bees"] for quote in asked)
        for asked, context in judge.asked
    )


def test_only_the_nearest_are_judged():
    """However many candidates there are, so many are judged alone and so many pairs: those nearest in words."""
    many = [evidence(f"Sentence number {n} is of something else.", score=0.001 * n) for n in range(60)]
    judge = Recorder()
    attributed("The foragers dance.", [*many, evidence(DANCE)], judge)
    assert [len(asked) for asked, _ in judge.asked] == [1] * SINGLES + [2] * PAIRS
    assert judge.asked[0][0] == (DANCE,)


def test_the_question_reaches_the_judge():
    """Every set is judged as an answer to the question that was asked."""
    judge = Recorder()
    attribute("The foragers dance.", CANDIDATES, TITLES, judge, question="Do bees dance?")
    assert judge.questions
    assert set(judge.questions) == {"Do bees dance?"}


@pytest.mark.parametrize("name", ["HoneyNet", "GPT-4", "Frisch"])
@pytest.mark.parametrize("label", ["supported", "partial", "unsupported"])
def test_what_papers_nowhere_name_is_never_attributed_to_them(name, label):
    """A sentence that names what no paper names is judged against none, so that no judge can attribute it."""
    judge = Everything(label)
    assert attributed(f"The foragers of {name} tell the others by a dance.", judge=judge) is None
    assert judge.asked == []


def test_a_name_is_looked_for_in_the_whole_paper():
    """What another sentence or the title of the same paper names may be said of the one that is cited."""
    named = evidence("HoneyNet was trained on films of the hive.")
    judge = Everything("supported")
    found = attributed(
        "HoneyNet tells the others by a dance where flowers stand.", [*CANDIDATES, named], judge
    )
    assert quotes(found)[0] in (DANCE, named.sentence)
    assert all(e.paper_id == "bees" for e in found.evidence)
    other = evidence("HoneyNet was trained on soup.", "soup")
    found = attributed(
        "HoneyNet tells the others by a dance where flowers stand.", [*CANDIDATES, other], judge
    )
    assert {e.paper_id for e in found.evidence} == {"soup"}


def test_two_papers_may_name_it_together():
    """A sentence that names something of each of two papers is judged against both, and against neither alone."""
    pieces = [evidence("HoneyNet counts bees."), evidence("SoupNet counts onions.", "soup")]
    judge = Everything("supported")
    found = attributed("In all HoneyNet counts bees and SoupNet counts onions.", pieces, judge)
    assert {e.paper_id for e in found.evidence} == {"bees", "soup"}
    assert [len(asked) for asked in judge.asked] == [2]


@given(
    st.lists(st.sampled_from(["foragers", "dance", "HoneyNet", "Frisch", "onions", "BeeDance"]), min_size=1),
    st.permutations(CANDIDATES),
)
def test_no_attribution_lends_a_name(words, candidates):
    """Each name in any sentence is somewhere in the papers that the sentence is attributed to."""
    sentence = f"The {' '.join(words)} of today."
    found = attributed(sentence, candidates, Everything("supported"))
    if found is not None:
        assert not {"HoneyNet", "Frisch"} & set(words)
        assert "BeeDance" not in words or {e.paper_id for e in found.evidence} >= {"bees"}


@given(st.permutations(CANDIDATES))
def test_the_order_of_candidates_does_not_matter(candidates):
    """The attribution depends on the words, and not on the order in which papers were found."""
    assert quotes(attributed("Foragers tell others by a dance where flowers stand.", candidates)) == [DANCE]
