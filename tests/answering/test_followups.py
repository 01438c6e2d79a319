import pytest

from rag_qa.answering.followups import resolve
from rag_qa.errors import QuestionError
from rag_qa.types import Answer, Paper

FIRST = "which papers discuss eigendecomposition as a game?"


def answer(question, ids="abc", abstained=False):
    """A turn that cited papers with these ids."""
    papers = tuple(Paper(id=key, title=key.upper(), abstract="Text.") for key in ids)
    return Answer(
        question=question,
        abstained=abstained,
        reason="nothing" if abstained else None,
        sentences=(),
        papers=() if abstained else papers,
        nearest=papers if abstained else (),
        provenance={},
        timings={},
    )


@pytest.mark.parametrize(
    ("question", "papers"),
    [
        ("and the second one?", ("b",)),
        ("What does the first paper prove?", ("a",)),
        ("tell me more about the third of them", ("c",)),
        ("the last one?", ("c",)),
        ("Compare the first one and the third one", ("a", "c")),
        ("what about paper 2?", ("b",)),
        ("Summarise #3", ("c",)),
        ("#1", ("a",)),
        ("and number 2?", ("b",)),
        ("Is the 2nd one about games?", ("b",)),
        ("What does [2] say?", ("b",)),
        ("and the second?", ("b",)),
    ],
)
def test_ordinals_pick_papers_of_the_last_answer(question, papers):
    """ "The second one", "paper 2", "#2" and "[2]" mean the papers by their place in the answer."""
    assert resolve(question, [answer(FIRST)]).within == papers


@pytest.mark.parametrize(
    "question", ["and the seventh one?", "what about paper 4?", "Summarise #9", "What does [4] say?"]
)
def test_a_place_beyond_the_last_is_told(question):
    """Asking for the seventh of three papers is told, with how many there are."""
    with pytest.raises(QuestionError, match="3 papers"):
        resolve(question, [answer(FIRST)])


@pytest.mark.parametrize(
    "question",
    [
        "What do they have in common?",
        "Who wrote them?",
        "which of these uses a neural network?",
        "What datasets do they use?",
        "How do these methods differ?",
        "What are the limitations of these papers?",
        "What is their accuracy?",
        "Does it converge?",
        "and how does it scale?",
    ],
)
def test_pronouns_mean_the_papers_of_the_last_answer(question):
    """A pronoun with nothing in the question to refer to stands for the papers just shown."""
    assert resolve(question, [answer(FIRST)]).within == ("a", "b", "c")


@pytest.mark.parametrize(
    "question",
    [
        "What is federated learning and how does it work?",
        "Why do transformers need their positional encodings?",
        "Which papers propose language models that explain their reasoning?",
        "Is it possible to train a GAN without labels?",
        "How long does it take to train GPT-3?",
        "What do the papers say about protein folding?",
        "What are the models for climate prediction?",
        "And which papers discuss reinforcement learning?",
        "What is dropout?",
        "Is there no 3 hour video benchmark?",
        "So which papers are about music?",
    ],
)
def test_a_question_that_stands_alone_stands_alone(question):
    """Nothing of the old topic leaks into a question that is whole by itself."""
    resolved = resolve(question, [answer(FIRST)])
    assert resolved.question == question
    assert resolved.within is None


@pytest.mark.parametrize("question", ["and for music?", "what about speech?", "but why?", "and how fast?"])
def test_a_fragment_takes_over_the_question_before(question):
    """ "And for music?" is understood with the words of the question before, and not held to its papers."""
    resolved = resolve(question, [answer(FIRST)])
    assert question in resolved.question
    assert FIRST in resolved.question
    assert resolved.within is None


def test_a_chain_of_fragments_keeps_its_topic():
    """The second fragment in a row still knows the topic of the first whole question."""
    history = [answer(FIRST), answer("and for music?")]
    assert FIRST in resolve("and for speech?", history).question


def test_a_fragment_follows_the_question_just_asked():
    """After an abstention, "and …" takes over that question and not an older one."""
    history = [answer(FIRST), answer("Who invented jazz?", abstained=True)]
    resolved = resolve("and blues?", history)
    assert "jazz" in resolved.question
    assert FIRST not in resolved.question


def test_ordinals_reach_past_an_abstention():
    """ "The second one" means the last answer that showed numbered papers."""
    history = [answer(FIRST), answer("Who invented jazz?", abstained=True)]
    assert resolve("and the second one?", history).within == ("b",)


def test_an_ordinal_alone_asks_about_the_topic():
    """ "And the second one?" is searched with the topic of the question before, as a question on content."""
    resolved = resolve("and the second one?", [answer(FIRST)])
    assert "eigendecomposition as a game" in resolved.question
    assert "papers" not in resolved.question


@pytest.mark.parametrize("history", [[], [answer("Who invented jazz?", abstained=True)]])
@pytest.mark.parametrize("question", ["and the second one?", "What do they have in common?", "#2"])
def test_without_papers_before_nothing_is_restricted(history, question):
    """Where no answer showed papers, a pronoun or a place restricts nothing."""
    assert resolve(question, history).within is None


def test_the_third_one_follows_the_second():
    """After "the second one", which shows one paper, "the third one" still means the list; "[1]" the screen."""
    history = [answer(FIRST), answer("and the second one?", ids="b")]
    assert resolve("and the third one?", history).within == ("c",)
    assert resolve("Summarise [1]", history).within == ("b",)
    assert resolve("Summarise paper 3", history).within == ("c",)
    assert resolve("Does it converge?", history).within == ("b",)
    with pytest.raises(QuestionError, match="3 papers, no number 4"):
        resolve("and the fourth one?", history)


def test_only_the_last_answer_counts():
    """After a change of topic, "the first one" is the first of the new papers."""
    history = [answer(FIRST), answer("which papers discuss music?", ids="xy")]
    assert resolve("the first one?", history).within == ("x",)
