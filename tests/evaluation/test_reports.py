import json
from pathlib import Path

import pytest

from rag_qa.errors import EvaluationError
from rag_qa.evaluation import (
    load_question_set,
    read_results,
    render,
    run_question_set,
    to_json,
    write_results,
)
from rag_qa.evaluation.reports import fill_readme, summary
from rag_qa.types import EvalReport


@pytest.fixture
def report(world, write_set) -> EvalReport:
    return run_question_set(world.Scripted(world.RIGHT), load_question_set(write_set()))


def small(**scores: float) -> EvalReport:
    return EvalReport(name="small", scores=scores, per_query=(), provenance={})


def test_json_has_sorted_keys_and_short_floats() -> None:
    """Two reports can be compared line by line: keys in order, floats of at most 6 digits."""
    text = to_json(small(b=1 / 3, a=0.1 + 0.2))
    assert json.loads(text)["scores"] == {"a": 0.3, "b": 0.333333}
    assert text.index('"a"') < text.index('"b"')


def test_json_refuses_what_is_no_number() -> None:
    """A score that is not a number is an error and never written as NaN."""
    with pytest.raises(ValueError, match="JSON"):
        to_json(small(a=float("nan")))


def test_results_are_read_as_written(report, tmp_path: Path) -> None:
    """A written report is found under its name and reads back to the same JSON."""
    path = write_results(report, tmp_path / "results")
    assert path == tmp_path / "results" / "tiny.json"
    assert to_json(read_results(path)) == path.read_text("utf-8") == to_json(report)


def test_results_hold_no_text_of_papers(world, report) -> None:
    """Results name papers by id and repeat neither abstracts nor quotes, so that they can be published."""
    text = to_json(report)
    assert "game" in text
    assert all(paper.abstract[:14] not in text for paper in (world.GAME, world.UNLOADED, world.COOKING))


@pytest.mark.parametrize("content", ["", "{}", "[1]", "nonsense"])
def test_other_files_are_no_reports(tmp_path: Path, content: str) -> None:
    """A file that is no report is an error with its name and the command that writes one."""
    path = tmp_path / "x.json"
    path.write_text(content, "utf-8")
    with pytest.raises(EvaluationError, match=r"x\.json is not a report.*rag-qa eval"):
        read_results(path)


def test_the_rendering_shows_scores_kinds_and_seconds(report) -> None:
    """Each total has a row, each kind of question has one, and each stage has its seconds."""
    text = render(report)
    rows = {line.split("|")[1].strip(): line for line in text.splitlines() if line.startswith("|")}
    assert "1.000" in rows["citation_recall (own judge)"]
    assert rows["invalid_citations"].split("|")[2].strip() == "0"
    assert {"which", "fact", "near", "far", "hostile", "question", "search", "generate"} <= rows.keys()
    assert text.startswith("tiny: 5 questions\n")


def test_headlines_come_first_in_their_order(report) -> None:
    """However the scores were gathered, the table begins with the headlines."""
    shuffled = report.model_copy(update={"scores": dict(reversed(report.scores.items()))})
    assert render(shuffled).split("\n\n")[1] == render(report).split("\n\n")[1]
    names = [line.split("|")[1].strip() for line in render(report).splitlines() if line.startswith("|")]
    assert names[2:5] == ["recall@5", "mrr@10", "ndcg@10"]


def test_what_does_not_apply_is_a_dash(report) -> None:
    """A kind without answers shows no citation figures instead of zeros."""
    line = next(line for line in render(report).splitlines() if line.startswith("| far "))
    assert [cell.strip() for cell in line.split("|")[2:-1]] == [
        "1",
        *["-"] * 9,
        "1.000",
        "1.000",
    ]


def test_every_line_of_a_table_is_as_wide_as_its_head(report) -> None:
    """The tables are aligned as plain text and valid as Markdown."""
    for block in render(report).split("\n\n"):
        if block.startswith("|"):
            assert len({len(line) for line in block.splitlines()}) == 1


def test_missing_gold_is_shown() -> None:
    """The report says if gold papers are not in the index."""
    lacking = small(a=1).model_copy(update={"provenance": {"gold_not_in_index": ["p1", "p2"]}})
    assert "2 gold papers" in render(lacking)


def test_the_summary_names_the_machine(report) -> None:
    """Each set has one row with its headline scores, the processor, the commit and the date."""
    text = summary([report])
    assert str(report.provenance["processor"]) in text
    assert str(report.provenance["date"])[:10] in text


def test_a_readme_without_marks_is_left_alone(report, tmp_path: Path) -> None:
    """Without both marks, or without a README at all, nothing is written."""
    readme = tmp_path / "README.md"
    assert not fill_readme(readme, tmp_path)
    assert not readme.exists()
    readme.write_text("<!-- results: begin -->\n", "utf-8")
    assert not fill_readme(readme, tmp_path)
    assert readme.read_text("utf-8") == "<!-- results: begin -->\n"


def test_filling_twice_changes_nothing(report, tmp_path: Path) -> None:
    """The table is replaced and never repeated."""
    write_results(report, tmp_path / "results")
    readme = tmp_path / "README.md"
    readme.write_text("# eval\n<!-- results: begin -->\n<!-- results: end -->\nend\n", "utf-8")
    assert fill_readme(readme, tmp_path / "results")
    once = readme.read_text("utf-8")
    assert fill_readme(readme, tmp_path / "results")
    assert readme.read_text("utf-8") == once
