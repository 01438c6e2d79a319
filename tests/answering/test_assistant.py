"""The assistant: search, opening and closing, and which style its model answers in."""

import pytest

from rag_qa import Assistant, Settings
from rag_qa.answering.assistant import reads_well, style_of
from rag_qa.backends.locating import STARTER, WRITER
from rag_qa.errors import IndexMismatchError, IndexNotFoundError, PromptError, QuestionError, SettingsError
from rag_qa.testing import HashingEmbedder


@pytest.mark.parametrize(("k", "found"), [(1, 1), (3, 3), (5, 5), (1000, 5)])
def test_search_gives_k_papers_or_all(open_assistant, k, found):
    """At most k papers come back, ranked from 1, best first."""
    hits = open_assistant().search("a competitive game", k)
    assert [hit.rank for hit in hits] == list(range(1, found + 1))
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_search_takes_k_from_the_settings(open_assistant):
    """Without a k of its own, search gives `Settings.k` papers."""
    assert len(open_assistant(k=2).search("a competitive game")) == 2


@pytest.mark.parametrize("k", [0, -1])
def test_a_k_below_one_is_an_error(open_assistant, k):
    """Asking for fewer papers than one is an error."""
    with pytest.raises(SettingsError, match="at least one"):
        open_assistant().search("games", k)


@pytest.mark.parametrize("blank", ["", "  ", "\x1b[31m", "?"])
def test_a_blank_question_is_an_error(open_assistant, blank):
    """Search, ask and stream refuse a question without words, at once."""
    assistant = open_assistant()
    for verb in (assistant.search, assistant.ask, assistant.stream):
        with pytest.raises(QuestionError):
            verb(blank)


@pytest.mark.parametrize(
    "question", ["caf\udce9 games?", "games \x1b[31mred\x1b[0m?", "游戏 games", "😀 games"]
)
def test_a_strange_question_is_answered(open_assistant, question):
    """Stray bytes, escapes and other scripts in a question are no crash, and the answer has a JSON."""
    answer = open_assistant().ask(question)
    assert "\\u001b" not in answer.model_dump_json()


def test_closing_twice_is_harmless(open_assistant):
    """An assistant may be closed again, as `with` after an explicit close does."""
    assistant = open_assistant()
    assistant.close()
    assistant.close()


def test_no_index_is_an_error(tmp_path):
    """Opening a folder without an index names the command that makes one."""
    with pytest.raises(IndexNotFoundError, match="rag-qa index"):
        Assistant.open(tmp_path, embedder=HashingEmbedder())


def test_another_embedder_is_an_error(library):
    """An index is not searched with vectors of another embedder."""
    with pytest.raises(IndexMismatchError, match="hashing"):
        Assistant.open(library, embedder=HashingEmbedder(name="other"))


def test_a_bad_prompt_is_an_error_on_opening(library, tmp_path):
    """A bad prompt file of the user is an error on opening, before any question is asked."""
    (tmp_path / "answer.toml").write_text('system = "Be brief."')
    with pytest.raises(PromptError):
        Assistant.open(
            library,
            settings=Settings(model=STARTER, style="quote", prompts=tmp_path),
            embedder=HashingEmbedder(),
        )


def test_papers_are_found_by_id(open_assistant):
    """`paper` gives one paper or a KeyError, `papers` all of them."""
    assistant = open_assistant()
    assert assistant.paper("music").year is None
    assert {paper.id for paper in assistant.papers()} == {
        "eigengame",
        "unloaded",
        "dropout",
        "music",
        "hostile",
    }
    with pytest.raises(KeyError):
        assistant.paper("nowhere")


@pytest.mark.parametrize(
    ("fields", "style"),
    [
        ({"model": "SmolLM2-135M-Instruct"}, "quote"),
        ({"model": "smollm2-135m-instruct"}, "quote"),
        ({"model": WRITER}, "synthesis"),
        ({"model": "some/file.gguf"}, "synthesis"),
        ({"style": "synthesis"}, "synthesis"),
        ({"style": "quote", "model": "some/file.gguf"}, "quote"),
    ],
)
def test_auto_is_what_the_catalogue_says(fields, style):
    """`auto` takes the catalogue's style of the model, prose for an unknown one; a set style wins."""
    assert style_of(Settings(**fields)) == style


@pytest.mark.parametrize(
    ("fields", "reads"),
    [
        ({"model": STARTER}, False),
        ({"model": STARTER, "style": "synthesis"}, False),
        ({"model": WRITER}, True),
        ({"model": WRITER, "style": "quote"}, True),
        ({"model": "some/file.gguf"}, True),
    ],
)
def test_whether_a_model_reads_well_is_its_own(fields, reads):
    """A model decides if the catalogue lets it write, in any style that is set; so does an unknown model."""
    assert reads_well(Settings(**fields)) is reads
