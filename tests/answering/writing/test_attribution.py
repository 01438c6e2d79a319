"""Which evidence a written sentence cites."""

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

    def judge(self, sentence, evidence, *, context=()):
        self.asked.append((tuple(evidence), tuple(context)))
        if set(evidence) == self.supporting:
            return Verdict(label="supported", probability=0.9)
        return Verdict(label="unsupported", probability=0.1 + 0.01 * len(evidence))


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


def test_the_nearest_is_told_where_nothing_supports():
    """A sentence that nothing supports is given with the candidate that comes nearest, and the reasons."""
    found = attributed("The foragers tell the others by a dance where 300 flowers stand.")
    assert quotes(found) == [DANCE]
    assert found.verdict.label == "unsupported"
    assert "the number 300 is not in the source" in found.verdict.reasons


def test_without_candidates_nothing_is_cited():
    """Where there is no evidence there is no attribution, and nothing is judged."""
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


@given(st.permutations(CANDIDATES))
def test_the_order_of_candidates_does_not_matter(candidates):
    """The attribution is that of the words, whatever the order in which papers were found."""
    assert quotes(attributed("Foragers tell others by a dance where flowers stand.", candidates)) == [DANCE]
