"""The scripts of examples/ run as their docstrings say."""

import csv
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

QUESTION = "which papers discuss eigendecomposition as a game?"
NOT_ANSWERED = "How many papers mention zeppelins?"


@pytest.fixture
def run_example(fakes: Path, root: Path, monkeypatch, capsys) -> Callable[..., str]:
    """A function that runs an example with arguments and returns what it prints."""

    def run(name: str, *arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", [name, *arguments])
        runpy.run_path(str(root / "examples" / f"{name}.py"), run_name="__main__")
        return capsys.readouterr().out

    return run


def test_every_example_is_tested(root):
    """Each script of examples/ has a test here."""
    tested = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert {path.stem for path in (root / "examples").glob("*.py")} <= tested


def test_ask(run_example):
    """Each sentence is printed with its verdict and its quotes; a question that nothing answers with the reason."""
    printed = run_example("ask", "rag-qa-index", QUESTION)
    assert "[supported]" in printed
    assert "EigenGame" in printed
    assert run_example("ask", "rag-qa-index", NOT_ANSWERED).startswith("No answer: ")


def test_batch_to_csv(run_example, fakes):
    """There is a line for each question, with what was answered."""
    (fakes / "questions.txt").write_text(f"{QUESTION}\n\n{NOT_ANSWERED}\n", encoding="utf-8")
    assert run_example("batch_to_csv", "rag-qa-index", "questions.txt", "answers.csv").startswith("2 answers")
    with (fakes / "answers.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["answered"] for row in rows] == ["True", "False"]
    assert "arXiv:2010.00554" in rows[0]["papers"]


def test_build_in_code(run_example):
    """The records become papers, and the filter leaves out the older one."""
    printed = run_example("build_in_code", "coded")
    assert printed.startswith("2 added, 0 skipped, 2 in the index")
    assert "1. Batch normalization" in printed
    assert "Dropout (" not in printed


def test_evaluate(run_example, fakes):
    """The scores of a question set are printed."""
    folder = fakes / "my-set"
    folder.mkdir()
    (folder / "set.toml").write_text('name = "my-set"\ndescription = "Two"\ncorpus = "../papers"\n', "utf-8")
    questions = [
        '{"_id": "q1", "text": "How is PCA formulated as a game?", "kind": "fact", "answerable": true,'
        ' "key_facts": [["eigenvectors"]]}',
        '{"_id": "q2", "text": "Who won the cup final?", "kind": "far", "answerable": false, "key_facts": []}',
    ]
    (folder / "queries.jsonl").write_text("\n".join(questions), encoding="utf-8")
    (folder / "qrels.tsv").write_text("query_id\tdoc_id\trelevance\nq1\tarXiv:2010.00554\t1\n", "utf-8")
    printed = run_example("evaluate", "rag-qa-index", "my-set")
    assert "recall@5             1.000" in printed
    assert "invalid_citations    0.000" in printed


def test_own_models(run_example):
    """The embedder and the generator of the example answer, and the provenance names both."""
    printed = run_example("own_models", "papers", "own", "What does EigenGame show about PCA?")
    assert printed.splitlines()[-1] == "trigrams first-sentence"
    assert "[1]" in printed
