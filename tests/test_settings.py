import pytest
from pydantic import ValidationError

from rag_qa import Settings


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty working directory, in which a test may write rag_qa.toml."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_defaults_are_valid():
    """Every default passes its own check, so settings can be written out and read back."""
    assert Settings(**Settings().model_dump()) == Settings()


def test_an_argument_wins_over_the_environment_over_the_file(folder, monkeypatch):
    """Flag > RAG_QA_* > rag_qa.toml > default, setting by setting."""
    (folder / "rag_qa.toml").write_text("k = 2\npool = 20\nseed = 2\n")
    monkeypatch.setenv("RAG_QA_K", "3")
    monkeypatch.setenv("RAG_QA_POOL", "30")
    settings = Settings(k=4)
    assert (settings.k, settings.pool, settings.seed, settings.threads) == (4, 30, 2, None)


def test_another_file_is_not_read(folder):
    """Only rag_qa.toml in the working directory counts: no .env, no file above."""
    (folder / ".env").write_text("RAG_QA_K=7\n")
    (folder / "pyproject.toml").write_text("[tool.rag_qa]\nk = 7\n")
    assert Settings().k == 10


@pytest.mark.parametrize(
    "fields",
    [
        {"k": 0},
        {"k": 1001},
        {"style": "prose"},
        {"temperature": -0.1},
        {"temperature": float("nan")},
        {"seed": -1},
        {"seed": 2**32 - 1},
        {"threads": 0},
        {"gpu_layers": -2},
        {"context_tokens": 100},
        {"min_relevance": 1.1},
        {"evidence_sentences": 0},
        {"embedder_dtype": "int4"},
        {"rerank_depth": 0},
        {"unknown": 1},
    ],
)
def test_impossible_values_are_refused(fields):
    """A value outside its range, and a name that is no setting, are refused."""
    with pytest.raises(ValidationError):
        Settings(**fields)


def test_settings_do_not_change():
    """Settings are frozen: what an answer's provenance says is what was used."""
    with pytest.raises(ValidationError, match="frozen"):
        Settings().k = 5  # type: ignore[misc]
