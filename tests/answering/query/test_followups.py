import pytest

from rag_qa.answering.query.followups import resolve
from rag_qa.errors import QuestionError
from rag_qa.types import Answer, Paper

FIRST = "which papers discuss eigendecomposition as a game?"


def answer(question, ids="abc", abstained=False, papers=None):
    """A turn that cited papers with these ids, or these papers."""
    papers = papers or tuple(Paper(id=key, title=key.upper(), abstract="Text.") for key in ids)
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


FLOW = Paper(
    id="flow",
    title="TinyFlow: Normalizing Flows with Few Parameters",
    abstract="A flow with one shared network.",
    authors=("Ada Brontë", "Max Hill"),
    year=2020,
)
AUDIO = Paper(
    id="audio",
    title="Waveform Decoding Networks for Speech",
    abstract="We call it a waveform decoder (WaveDec). It is fast.",
    authors=("Li Long", "Ada Brontë"),
    year=2022,
)
PLAIN = Paper(id="plain", title="Monotone maps", abstract="Monotone maps are invertible.", year=2019)
FLOWS = [answer("which papers use normalizing flows?", papers=(FLOW, AUDIO, PLAIN))]


@pytest.mark.parametrize(
    ("question", "papers"),
    [
        ("what does TinyFlow share?", ("flow",)),
        ("and tinyflow?", ("flow",)),
        ("what does WaveDec decode?", ("audio",)),
        ("and WDN?", ("audio",)),
        ("is Brontë's network small?", ("flow",)),
        ("What do Bronte et al. share?", ("flow",)),
        ("the long one?", ("audio",)),
        ("the monotone paper: is it invertible?", ("plain",)),
        ("monotone maps: are they invertible?", ("plain",)),
        ("compare TinyFlow with WaveDec", ("flow", "audio")),
        ("tell me more about tinyflow", ("flow",)),
    ],
)
def test_names_pick_papers(question, papers):
    """Nickname, abbreviation, initials and first author, with or without accents, mean the paper shown."""
    assert resolve(question, FLOWS).within == papers


@pytest.mark.parametrize(
    "question",
    [
        "how is TinyFlow used in robotics?",
        "How long does training take for robots that walk?",
        "does TinyFlow beat RealNVP?",
        "TinyFlow vs coupling layers for robots",
    ],
)
def test_a_name_in_another_question_restricts_nothing(question):
    """A paper's name inside a question that is about something else too does not hold it to that paper."""
    resolved = resolve(question, FLOWS)
    assert (resolved.question, resolved.within) == (question, None)


@pytest.mark.parametrize(
    ("question", "papers"),
    [
        ("compare the first with the third", ("a", "c")),
        ("is the first better than the last?", ("a", "c")),
        ("does the latter converge?", ("c",)),
        ("does the former converge?", ("a",)),
        ("and paper two?", ("b",)),
        ("which one converges faster?", ("a", "b", "c")),
        ("which is faster?", ("a", "b", "c")),
        ("do both converge?", ("a", "b", "c")),
        ("is that method slow?", ("a", "b", "c")),
        ("what data is that from?", ("a", "b", "c")),
        ("how much memory?", ("a", "b", "c")),
        ("code?", ("a", "b", "c")),
    ],
)
def test_other_words_for_papers_shown(question, papers):
    """Bare places, "both", "which is", "that method" and questions that fit any paper mean the papers shown."""
    assert resolve(question, [answer(FIRST)]).within == papers


@pytest.mark.parametrize(
    "question",
    [
        "does the first layer converge?",
        "who was the first to train a GAN?",
        "which models use both retrieval and generation?",
        "is it legal to record a call?",
        "who studies methods that model uncertainty?",
        "what is the accuracy of BERT?",
        "who invented jazz?",
        "how does a network learn to ignore its inputs?",
    ],
)
def test_words_that_only_look_like_references_leak_nothing(question):
    """ "The first layer", "both … and …", "it is legal to" and a pronoun with its noun at hand refer to nothing."""
    resolved = resolve(question, [answer(FIRST)])
    assert (resolved.question, resolved.within) == (question, None)


def test_the_other_one_is_the_one_not_on_screen():
    """After "the second one" of two, "the other one" is the first; a comparison with it takes in both."""
    history = [answer(FIRST, ids="ab"), answer("and the second one?", ids="b")]
    assert resolve("and the other one?", history).within == ("a",)
    assert resolve("is it better than the other one?", history).within == ("b", "a")
    assert resolve("how does it differ from the first?", history).within == ("b", "a")
    assert resolve("vs the first?", history).within == ("b", "a")
    assert resolve("which is better?", history).within == ("a", "b")


def test_a_comparison_with_something_new_is_held_to_nothing():
    """ "How does RealNVP compare with it?" searches all papers, with the titles of those meant."""
    history = [*FLOWS, answer("what does TinyFlow share?", papers=(FLOW,))]
    resolved = resolve("how does RealNVP compare with it?", history)
    assert resolved.within is None
    assert FLOW.title in resolved.question


@pytest.mark.parametrize(
    ("question", "asks"),
    [
        ("who wrote the second one?", ("authors",)),
        ("when was it published?", ("year",)),
        ("by whom?", ("authors",)),
        ("venue and year?", ("year", "venue")),
        ("which is the newest?", ("year",)),
        ("where is it used?", ()),
        ("when does it converge?", ()),
        ("what do the authors of the first one prove?", ()),
    ],
)
def test_questions_on_metadata_alone_say_what_they_ask(question, asks):
    """Authors, year and venue are asked for where the question asks for nothing else."""
    assert resolve(question, [answer(FIRST)]).asks == asks


@pytest.mark.parametrize(
    ("question", "understood"),
    [
        ("what does the second one decode?", "what does “Waveform Decoding Networks for Speech” decode?"),
        (
            "is it fast?",
            "is it fast? (of “TinyFlow”, “Waveform Decoding Networks for Speech”, “Monotone maps”)",
        ),
        ("and for music?", "and for music? (after: which papers use normalizing flows?)"),
        ("What is federated learning?", None),
    ],
)
def test_a_follow_up_says_how_it_was_understood(question, understood):
    """References are shown by the papers' names; a question that stands alone has nothing to show."""
    assert resolve(question, FLOWS).understood_as == understood


def test_a_long_conversation_is_resolved_at_once():
    """Each turn before is resolved once, however many refer to those before them."""
    history = [answer(FIRST), *(answer("and why?") for _ in range(40))]
    assert FIRST in resolve("and how?", history[:3]).question
    assert resolve("the third one?", history).within == ("c",)


def test_a_refused_question_leaves_its_paper_in_focus():
    """After a refused question on the second one, "it" is the second one, and "[1]" what bore that number last."""
    history = [answer(FIRST), answer("does the second one converge?", abstained=True)]
    assert resolve("who wrote it?", history).within == ("b",)
    assert resolve("and the other one?", history).within == ("a", "c")
    assert resolve("Summarise [1]", history).within == ("a",)


def test_a_fragment_after_a_question_on_a_long_list_takes_over_its_topic():
    """ "And for graphs?" after "which is newer?" over many papers is understood with the question that found them."""
    history = [answer(FIRST, ids="abcde"), answer("which is newer?", ids="edcba")]
    assert FIRST in resolve("and for graphs?", history).question
