"""Each figure on a right answer, and on the answer broken in the way that the figure is there to find."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_qa.evaluation.grounding import (
    citation_precision,
    citation_recall,
    cited_papers,
    faithfulness,
    invalid_citations,
    quote_exactness,
    unsupported_sentences,
    verbatim,
)

FIGURES = (citation_recall, citation_precision, quote_exactness)


def shares_words(text: str, quotes: Sequence[str]) -> bool:
    """A lenient support: every word of the text is in some quote."""
    return set(text.lower().rstrip(".").split()) <= {w for q in quotes for w in q.lower().rstrip(".").split()}


def test_a_right_answer_scores_one(world) -> None:
    """Verbatim sentences with true citations score 1 everywhere and have no invalid citation."""
    for right in world.RIGHT.values():
        assert [figure(right, world.lookup) for figure in FIGURES] == [1, 1, 1]
        assert invalid_citations(right, world.lookup) == 0


def test_an_uncited_sentence_lowers_recall(world) -> None:
    """A sentence without a citation scores 0, even with a support that believes everything."""
    quote = world.cite(world.GAME, "PCA is a game.")
    broken = world.answer(world.say("PCA is a game.", quote), world.say("PCA is a game."))
    assert citation_recall(broken, world.lookup, lambda text, quotes: True) == 0.5


@pytest.mark.parametrize("shift", [-1, 1])
def test_a_wrong_offset_is_found(world, shift: int) -> None:
    """A citation one character off is not exact, supports nothing, and counts against precision."""
    true = world.cite(world.GAME, "Each of 1,024 players")
    moved = true.model_copy(update={"start": true.start + shift, "end": true.end + shift})
    broken = world.answer(world.say("Each of 1,024 players", moved))
    assert [figure(broken, world.lookup) for figure in FIGURES] == [0, 0, 0]
    assert invalid_citations(broken, world.lookup) == 0


@pytest.mark.parametrize(("start", "end"), [(-5, -1), (0, 10_000), (3, 3), (4, 2)])
def test_a_place_outside_the_abstract_is_invalid(world, start: int, end: int) -> None:
    """Negative, empty, reversed and overlong spans point at no text, though Python could slice them."""
    quote = world.GAME.abstract[start:end]
    nowhere = world.cite(world.GAME, "PCA").model_copy(update={"start": start, "end": end, "quote": quote})
    broken = world.answer(world.say("PCA is a game.", nowhere))
    assert invalid_citations(broken, world.lookup) == 1
    assert [figure(broken, world.lookup) for figure in FIGURES] == [0, 0, 0]


def test_a_citation_moved_to_another_paper_is_found(world) -> None:
    """The right quote under another paper's id is not exact there and supports nothing."""
    moved = world.cite(world.GAME, "PCA is a game.").model_copy(update={"paper_id": "unloaded"})
    broken = world.answer(world.say("PCA is a game.", moved))
    assert [figure(broken, world.lookup) for figure in FIGURES] == [0, 0, 0]


def test_a_true_quote_that_says_something_else_does_not_support(world) -> None:
    """An exact quote of another matter keeps exactness at 1 and brings recall and precision to 0."""
    broken = world.answer(world.say("PCA is a game.", world.cite(world.COOKING, "Salt the water first.")))
    assert [figure(broken, world.lookup) for figure in FIGURES] == [0, 0, 1]


def test_a_paper_must_be_in_the_answer_and_in_the_index(world) -> None:
    """A citation of a paper that the answer does not carry, or the index does not hold, is invalid."""
    sentence = world.say("PCA is a game.", world.cite(world.GAME, "PCA is a game."))
    uncarried = world.answer(sentence, papers=[])
    assert invalid_citations(uncarried, world.lookup) == 1
    ghost = world.GAME.model_copy(update={"id": "ghost"})
    unknown = world.answer(world.say("PCA is a game.", world.cite(ghost, "PCA is a game.")), papers=[ghost])
    assert invalid_citations(unknown, world.lookup) == 1
    for broken in (uncarried, unknown):
        assert [figure(broken, world.lookup) for figure in FIGURES] == [0, 0, 0]


def test_an_altered_copy_of_a_paper_is_found(world) -> None:
    """A quote that is only in the answer's own copy of the paper is not exact."""
    altered = world.GAME.model_copy(update={"abstract": "PCA is a fraud."})
    broken = world.answer(
        world.say("PCA is a fraud.", world.cite(altered, "PCA is a fraud.")), papers=[altered]
    )
    assert quote_exactness(broken, world.lookup) == citation_recall(broken, world.lookup) == 0


def test_an_irrelevant_citation_lowers_precision(world) -> None:
    """A citation beside one that supports alone, and that supports nothing itself, is irrelevant."""
    helpful, other = (
        world.cite(world.GAME, "PCA is a game."),
        world.cite(world.COOKING, "Salt the water first."),
    )
    padded = world.answer(world.say("PCA is a game.", helpful, other))
    assert citation_recall(padded, world.lookup) == 1
    assert citation_precision(padded, world.lookup) == 0.5


def test_an_invalid_citation_lowers_precision(world) -> None:
    """A citation that resolves to nothing counts against precision beside one that supports alone."""
    helpful = world.cite(world.GAME, "PCA is a game.")
    padded = world.answer(
        world.say("PCA is a game.", helpful, helpful.model_copy(update={"paper_id": "ghost"}))
    )
    assert citation_precision(padded, world.lookup) == 0.5


def test_every_citation_counts_in_precision(world) -> None:
    """Two citations that help and one that resolves to nothing give 2/3: none is left out of the count."""
    helpful = world.cite(world.GAME, "PCA is a game.")
    ghost = helpful.model_copy(update={"paper_id": "ghost"})
    padded = world.answer(world.say("PCA is a game.", helpful, ghost, helpful))
    assert citation_precision(padded, world.lookup) == pytest.approx(2 / 3)


def test_citations_of_unsupported_sentences_count_in_precision(world) -> None:
    """Beside a right sentence, an unsupported one halves precision, be its quote true or forged."""
    right = world.say("PCA is a game.", world.cite(world.GAME, "PCA is a game."))
    wrong = world.say("PCA is soup.", world.cite(world.COOKING, "Salt the water first."))
    assert citation_precision(world.answer(right, wrong), world.lookup) == 0.5
    forged = world.say(
        "PCA is soup.", world.cite(world.GAME, "PCA").model_copy(update={"quote": "PCA is soup."})
    )
    assert citation_precision(world.answer(right, forged), world.lookup) == 0.5


def test_citations_that_support_only_together_both_help(world) -> None:
    """Where no quote is enough alone, none of them is irrelevant."""
    both = (world.cite(world.GAME, "PCA is a game."), world.cite(world.UNLOADED, "It runs in parallel."))
    joint = world.answer(world.say("PCA runs in parallel.", *both))
    assert citation_recall(joint, world.lookup, shares_words) == 1
    assert citation_precision(joint, world.lookup, shares_words) == 1


def test_a_paraphrase_needs_a_support_that_accepts_it(world) -> None:
    """Verbatim support refuses a paraphrase that a lenient support accepts."""
    loose = world.answer(world.say("A game is PCA.", world.cite(world.GAME, "PCA is a game.")))
    assert citation_recall(loose, world.lookup) == 0
    assert citation_recall(loose, world.lookup, shares_words) == 1


def test_support_is_given_only_exact_quotes(world) -> None:
    """A made-up quote never reaches the support, so it can persuade nobody."""
    seen: list[Sequence[str]] = []
    true = world.cite(world.GAME, "PCA is a game.")
    forged = true.model_copy(update={"quote": "PCA is a fraud"})
    citation_recall(
        world.answer(world.say("PCA is odd.", true, forged)),
        world.lookup,
        lambda text, quotes: bool(seen.append(quotes)),
    )
    assert seen == [("PCA is a game.",)]


def test_an_abstention_has_no_citation_figures(world) -> None:
    """Recall, precision and exactness do not apply to an answer that abstains."""
    assert [figure(world.answer(abstained=True), world.lookup) for figure in FIGURES] == [None] * 3


def test_an_answer_of_nothing_scores_zero(world) -> None:
    """An answer that does not abstain and says nothing gets no credit for it."""
    assert (
        citation_recall(world.answer(), world.lookup) == citation_precision(world.answer(), world.lookup) == 0
    )


def test_cited_papers_come_in_order_and_once(world) -> None:
    """The papers of an answer are those cited, in order of citation."""
    game, unloaded = world.cite(world.GAME, "PCA"), world.cite(world.UNLOADED, "It")
    assert cited_papers(world.answer(world.say("a", unloaded, game), world.say("b", game))) == (
        "unloaded",
        "game",
    )


@pytest.mark.parametrize("text", ["", "   ", "not a game", "It runs in parallel. PCA is a game."])
def test_verbatim_refuses_what_is_not_there(text: str) -> None:
    """Nothing, other words and quotes in another order are not verbatim."""
    assert not verbatim(text, ["PCA is a game.", "It runs in parallel."])


@given(st.lists(st.text(min_size=1).filter(str.strip), min_size=1))
def test_verbatim_accepts_each_quote_and_all_in_order(quotes: list[str]) -> None:
    """A quote supports itself, and the quotes one after the other support their sequence."""
    assert all(verbatim(quote, quotes) for quote in quotes)
    assert verbatim(" ".join(quotes), quotes)


@given(st.integers(-60, 60), st.integers(-60, 60))
def test_only_the_true_place_is_exact(start: int, end: int) -> None:
    """Over all spans, a quote is exact if the abstract says just that there, and only then."""
    from rag_qa.types import Answer, Citation, Paper, Sentence, Verdict

    paper = Paper(id="p", abstract="one two three two one")
    citation = Citation(paper_id="p", quote="two", start=start, end=end)
    verdict = Verdict(label="supported", probability=1)
    sentence = Sentence(text="two", kind="quote", citations=(citation,), verdict=verdict)
    reply = Answer(
        question="?",
        abstained=False,
        reason=None,
        sentences=(sentence,),
        papers=(paper,),
        provenance={},
        timings={},
    )
    assert quote_exactness(reply, {"p": paper}.__getitem__) == float((start, end) in {(4, 7), (14, 17)})


def test_a_right_answer_is_faithful(world) -> None:
    """Verbatim sentences with true citations are faithful, and an answer that abstains has no such figure."""
    assert [faithfulness(right, world.lookup) for right in world.RIGHT.values()] == [1, 1]
    assert faithfulness(world.answer(abstained=True), world.lookup) is None


def test_a_sentence_under_the_wrong_citation_is_faithful(world) -> None:
    """What another citation of the answer, or an abstract that it carries, says is faithful though not recalled."""
    game, unloaded = (
        world.cite(world.GAME, "PCA is a game."),
        world.cite(world.UNLOADED, "It runs in parallel."),
    )
    crossed = world.answer(world.say("PCA is a game.", unloaded), world.say("It runs in parallel.", game))
    assert (citation_recall(crossed, world.lookup), faithfulness(crossed, world.lookup)) == (0, 1)
    uncited = world.answer(world.say("Each of 1,024 players owns a vector."), papers=[world.GAME])
    assert (citation_recall(uncited, world.lookup), faithfulness(uncited, world.lookup)) == (0, 1)


def test_what_only_both_quotes_say_is_faithful(world) -> None:
    """A sentence that cites one of two quotes and needs both is supported by all that the answer quotes."""
    game, unloaded = (
        world.cite(world.GAME, "PCA is a game."),
        world.cite(world.UNLOADED, "It runs in parallel."),
    )
    joint = world.answer(
        world.say("PCA runs in parallel.", game), world.say("It runs in parallel.", unloaded)
    )
    assert citation_recall(joint, world.lookup, shares_words) == 0.5
    assert faithfulness(joint, world.lookup, shares_words) == 1


def test_what_no_evidence_says_is_unfaithful(world) -> None:
    """Invention, another paper's abstract, and a copy of a paper that the index does not hold are no evidence."""
    cited = world.cite(world.GAME, "PCA is a game.")
    invented = world.answer(world.say("PCA is a fraud.", cited), world.say("PCA is a game.", cited))
    assert faithfulness(invented, world.lookup) == 0.5
    assert unsupported_sentences(invented, world.lookup) == ("PCA is a fraud.",)
    foreign = world.answer(world.say("Salt the water first.", cited))
    assert faithfulness(foreign, world.lookup) == 0
    altered = world.GAME.model_copy(update={"abstract": "PCA is a fraud."})
    assert faithfulness(world.answer(world.say("PCA is a fraud."), papers=[altered]), world.lookup) == 0
    ghost = altered.model_copy(update={"id": "ghost"})
    assert faithfulness(world.answer(world.say("PCA is a fraud."), papers=[ghost]), world.lookup) == 0
    assert faithfulness(world.answer(), world.lookup) == 0


def test_metadata_is_not_judged(world) -> None:
    """Sentences on metadata are neither faithful nor unsupported."""
    metadata = world.say("Two papers are about it.").model_copy(update={"kind": "metadata"})
    assert faithfulness(world.answer(metadata), world.lookup) is None
    assert unsupported_sentences(world.answer(metadata), world.lookup) == ()
