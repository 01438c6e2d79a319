from pathlib import Path

import pytest

from rag_qa.errors import EvaluationError
from rag_qa.evaluation import load_question_set, resolve_corpus

HEADER = 'name = "tiny"\ndescription = ""\ncorpus = "{}"\n'


@pytest.fixture
def corpus_of(write_set, monkeypatch: pytest.MonkeyPatch):
    """Resolve the corpus of a set whose header names it so."""
    monkeypatch.delenv("RAG_QA_SHARED", raising=False)

    def resolve(corpus: str) -> list[Path]:
        return resolve_corpus(load_question_set(write_set(header=HEADER.format(corpus))))

    return resolve


def test_a_path_is_relative_to_the_set(corpus_of, tmp_path: Path) -> None:
    """A corpus given as a path is looked for beside the set's files."""
    (tmp_path / "eval").mkdir()
    (tmp_path / "eval" / "papers.jsonl").touch()
    (path,) = corpus_of("../papers.jsonl")
    assert path.resolve() == tmp_path / "eval" / "papers.jsonl"


def test_seeds_stand_beside_the_clone(corpus_of, tmp_path: Path) -> None:
    """Without the variable, seeds are looked for in ../shared from the root of the clone."""
    root = tmp_path / "eval"
    root.mkdir()
    (root / "pyproject.toml").touch()
    (tmp_path / "shared" / "seeds").mkdir(parents=True)
    assert corpus_of("seeds") == [tmp_path / "shared" / "seeds"]


def test_the_variable_says_where_seeds_are(
    corpus_of, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RAG_QA_SHARED goes before the place beside the clone."""
    (tmp_path / "elsewhere" / "seeds").mkdir(parents=True)
    monkeypatch.setenv("RAG_QA_SHARED", str(tmp_path / "elsewhere"))
    assert corpus_of("seeds") == [tmp_path / "elsewhere" / "seeds"]


@pytest.mark.parametrize(("corpus", "cure"), [("seeds", "RAG_QA_SHARED"), ("gone.jsonl", r"set\.toml")])
def test_a_missing_corpus_is_told_with_its_cure(corpus_of, corpus: str, cure: str) -> None:
    """What is not there is told with where it was looked for and both ways to give it."""
    with pytest.raises(EvaluationError, match=rf"is not at .*{cure}.*--index DIR"):
        corpus_of(corpus)


def test_the_sample_comes_with_the_package(corpus_of) -> None:
    """The corpus "sample" is a file that ships with the package."""
    pytest.importorskip("rag_qa.sample", reason="the sample corpus is not built yet")
    (path,) = corpus_of("sample")
    assert path.exists()
