import pytest

from rag_qa import build_index
from rag_qa.answering.query.parse import parse
from rag_qa.answering.query.rewriting import Rewriter
from rag_qa.answering.writing.prompt import load_prompt
from rag_qa.errors import QuestionError
from rag_qa.index.reader import Index
from rag_qa.sample import sample_papers_path
from rag_qa.testing import HashingEmbedder, QueuedGenerator
from rag_qa.types import Answer

GAMES = ("arXiv:2010.00554", "arXiv:2102.04152", "arXiv:1711.00832")
BERT, ROBERTA, ELECTRA = "arXiv:1810.04805", "arXiv:1907.11692", "arXiv:2003.10555"


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """An index of the sample papers."""
    folder = tmp_path_factory.mktemp("sample")
    build_index([sample_papers_path()], folder, embedder=HashingEmbedder())
    opened = Index.open(folder)
    yield opened
    opened.close()


@pytest.fixture
def ask(index):
    """A function that parses a question after turns, each a question and the ids of the papers shown."""

    def run(question, *turns, rewriter=None, literal=False):
        history = []
        for text, ids in turns:
            query = parse(text, history, facets=index.facets, index=index, literal=literal)
            papers = tuple(index.paper(key) for key in ids)
            history.append(
                Answer(
                    question=text,
                    abstained=not ids,
                    reason=None,
                    sentences=(),
                    papers=papers,
                    provenance={},
                    timings={},
                    query=query,
                )
            )
        return parse(question, history, facets=index.facets, index=index, rewriter=rewriter)

    return run


@pytest.mark.parametrize(
    ("question", "positions"),
    [
        ("and the second one?", [2]),
        ("What does the first paper prove?", [1]),
        ("the last one?", [3]),
        ("Compare the first one and the third one", [1, 3]),
        ("what about paper 2?", [2]),
        ("Summarise #3", [3]),
        ("What does [2] say?", [2]),
        ("number two, please", [2]),
        ("first two", [1, 2]),
        ("take the 2nd", [2]),
        ("compare papers 1 and 3", [1, 3]),
        ("1 vs 3", [1, 3]),
        ("compare second with third", [2, 3]),
        ("the middle one", [2]),
        ("the top result: what is it about?", [1]),
    ],
)
def test_positions_are_those_of_the_list_shown(ask, question, positions):
    """ "The second one", "paper 2", "#2" and "[2]" mean papers by their position in the list."""
    found = ask(question, ("papers on games", GAMES))
    assert found.within == tuple(GAMES[position - 1] for position in positions)
    assert found.understood_as


def test_a_position_beyond_the_last_is_an_error(ask):
    """Asking for the seventh of three papers raises a QuestionError that says how many there are."""
    with pytest.raises(QuestionError, match="3 papers"):
        ask("and the seventh one?", ("papers on games", GAMES))


@pytest.mark.parametrize(
    ("question", "within"),
    [
        ("and the third one?", GAMES[2:]),
        ("the next one", GAMES[2:]),
        ("and the previous paper?", GAMES[:1]),
        ("what about the one above?", GAMES[:1]),
    ],
)
def test_a_position_after_a_pick_means_the_list_before_it(ask, question, within):
    """ "The third one" or "the next one" after "the second one" means the list from which that was picked."""
    assert ask(question, ("papers on games", GAMES), ("the second one", GAMES[1:2])).within == within


@pytest.mark.parametrize(
    ("question", "within"),
    [
        ("And RoBERTa?", (ROBERTA,)),
        ("how does the Devlin paper mask words?", (BERT,)),
        ("what does the ELECTRA paper save?", (ELECTRA,)),
        ("did Clark et al. train a generator?", (ELECTRA,)),
    ],
)
def test_papers_go_by_short_name_and_first_author(ask, question, within):
    """A short name or a first author means that paper, shown or not."""
    assert ask(question, ("what is masked language modelling?", (BERT, ROBERTA))).within == within


@pytest.mark.parametrize(
    "question", ["why?", "what do they have in common?", "does it scale?", "tell me more"]
)
def test_questions_without_a_topic_stay_on_the_papers_shown(ask, question):
    """A question with a pronoun, or without content of its own, is about the papers shown."""
    assert ask(question, ("papers on games", GAMES)).within == GAMES


@pytest.mark.parametrize(
    ("question", "kept"),
    [
        ("only those from 2017", GAMES[2:]),
        ("drop everything before 2020", GAMES[:2]),
        ("just the newest", GAMES[1:2]),
    ],
)
def test_a_list_is_narrowed_by_what_the_index_knows(ask, question, kept):
    """Years, venues and authors keep some of the papers shown, or drop them."""
    assert ask(question, ("papers on games", GAMES)).within == kept


def test_a_new_topic_leaves_the_conversation(ask):
    """A whole question on something else is taken word for word, over all papers."""
    question = "why do deep plain networks train worse than shallow ones?"
    found = ask(question, ("papers on games", GAMES))
    assert (found.text, found.within) == (question, None)


@pytest.fixture
def carrying(monkeypatch):
    """Every question is held to carry the former topic on."""
    monkeypatch.setattr("rag_qa.answering.query.followups.look_of", lambda *_: "carries")


def test_a_writer_makes_a_fragment_stand_alone(ask, carrying):
    """What carries a topic on is rewritten by the language model, which reads the questions and titles before."""
    generator = QueuedGenerator(["Which methods find eigenvectors for CCA?"])
    rewriter = Rewriter(generator, load_prompt("rewrite").texts, 0)
    found = ask("and for CCA?", ("eigenvectors as a game", GAMES[:1]), rewriter=rewriter)
    assert found.text == found.topic == found.understood_as == "Which methods find eigenvectors for CCA?"
    assert "EigenGame" in generator.prompts[0].user
    assert "eigenvectors as a game" in generator.prompts[0].user


def test_without_a_writer_a_fragment_takes_the_topic_along(ask, carrying):
    """Without a writer the former topic is searched beside the fragment."""
    found = ask("and for CCA?", ("eigenvectors as a game", GAMES[:1]))
    assert (found.topic, found.within) == ("and for CCA? (after: eigenvectors as a game)", None)


def test_a_literal_turn_stays_literal(ask):
    """A turn that was asked word for word is not read again for what it might have referred to."""
    assert ask("and the second one?", ("the first one", GAMES), literal=True).within == GAMES[1:2]
