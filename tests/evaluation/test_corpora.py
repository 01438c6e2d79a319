import gzip
from pathlib import Path

import pytest

from rag_qa.errors import EvaluationError
from rag_qa.evaluation import load_question_set, resolve_corpus
from rag_qa.evaluation.corpora import select_papers

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
    """RAG_QA_SHARED goes before the folder beside the clone."""
    (tmp_path / "elsewhere" / "seeds").mkdir(parents=True)
    monkeypatch.setenv("RAG_QA_SHARED", str(tmp_path / "elsewhere"))
    assert corpus_of("seeds") == [tmp_path / "elsewhere" / "seeds"]


@pytest.mark.parametrize(("corpus", "cure"), [("seeds", "RAG_QA_SHARED"), ("gone.jsonl", r"set\.toml")])
def test_a_missing_corpus_is_an_error_with_its_cure(corpus_of, corpus: str, cure: str) -> None:
    """The error of a missing corpus names its path and both ways to give it."""
    with pytest.raises(EvaluationError, match=rf"is not at .*{cure}.*--index DIR"):
        corpus_of(corpus)


def test_the_sample_comes_with_the_package(corpus_of) -> None:
    """The corpus "sample" is a file that ships with the package."""
    pytest.importorskip("rag_qa.sample", reason="the sample corpus is not built yet")
    (path,) = corpus_of("sample")
    assert path.exists()


RECORDS = '{"_id": "a", "text": "x"}\n{"id": "b", "abstract": "y"}\n{"id": "c"}\n'


@pytest.mark.parametrize("packed", [False, True])
def test_a_list_of_ids_selects_from_a_corpus(tmp_path: Path, packed: bool) -> None:
    """Only the listed records are written, whole and in the order of the corpus, plain or gzipped."""
    corpus = tmp_path / ("papers.jsonl.gz" if packed else "papers.jsonl")
    corpus.write_bytes(gzip.compress(RECORDS.encode()) if packed else RECORDS.encode())
    (tmp_path / "ids.txt").write_text("b\n\na\n", "utf-8")
    chosen = select_papers([corpus], tmp_path / "ids.txt", tmp_path / "cache" / "chosen.jsonl")
    assert chosen.read_text("utf-8").splitlines() == RECORDS.splitlines()[:2]
    assert [path.name for path in chosen.parent.iterdir()] == ["chosen.jsonl"]


def test_a_listed_paper_that_is_nowhere_is_an_error(tmp_path: Path) -> None:
    """An id that no record has is an error: the corpus would be another one than meant."""
    (tmp_path / "papers.jsonl").write_text(RECORDS, "utf-8")
    (tmp_path / "ids.txt").write_text("a\nghost\n", "utf-8")
    with pytest.raises(EvaluationError, match=r"ids\.txt lists 1 papers that are not.*'ghost'.*--corpus"):
        select_papers([tmp_path / "papers.jsonl"], tmp_path / "ids.txt", tmp_path / "chosen.jsonl")


def test_a_set_may_lie_over_several_files(write_set, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files beside the set and in the shared data are taken in the set's order; ids are relative to the set."""
    monkeypatch.setenv("RAG_QA_SHARED", str(tmp_path))
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).touch()
    corpus = '"../../a.jsonl", "$RAG_QA_SHARED/b.jsonl"'
    folder = write_set(header=f'name = "t"\ndescription = ""\ncorpus = [{corpus}]\nids = "../ids.txt"\n')
    found = load_question_set(folder)
    assert [path.resolve() for path in resolve_corpus(found)] == [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    assert found.ids == folder / "../ids.txt"
