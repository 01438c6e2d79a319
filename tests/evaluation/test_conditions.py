import os
from pathlib import Path

import pytest

from rag_qa.errors import EvaluationError, ModelNotFoundError
from rag_qa.evaluation import conditions, read_results
from rag_qa.evaluation.conditions import Bound, choose, judge, load_conditions, record
from rag_qa.types import EvalReport

ROOT = Path(__file__).parents[2]
SOUND = """
[near]
folder = "set"
[near.scores]
"recall@5" = { expected = 0.5, tolerance = 0.1 }
answerable_refused = { maximum = 0.05 }

[far]
folder = "$shared/data/set"
split = "dev"
corpus = ["$shared/data/papers.jsonl"]
style = "quote"
[far.scores]
"mrr@10" = { expected = 0.5, tolerance = 0 }
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Write a file of conditions and return its path; shared data is looked for in tmp_path/shared."""
    monkeypatch.setenv("RAG_QA_SHARED", str(tmp_path / "shared"))

    def written(text: str) -> Path:
        path = tmp_path / "conditions.toml"
        path.write_text(text, "utf-8")
        return path

    return written


def report(**scores: float) -> EvalReport:
    return EvalReport(name="r", scores=scores, per_query=(), provenance={})


def test_paths_are_of_the_file_or_of_the_shared_data(write, tmp_path: Path) -> None:
    """A path is relative to the file of conditions, or is in the shared data if it says so."""
    conditions = load_conditions(write(SOUND))
    assert conditions["near"].folder == tmp_path / "set"
    far = conditions["far"]
    assert (far.folder, far.split, far.style) == (tmp_path / "shared/data/set", "dev", "quote")
    assert far.corpus == (tmp_path / "shared/data/papers.jsonl",)


def test_absent_shared_data_is_a_reason_to_skip(write, tmp_path: Path) -> None:
    """A condition is skipped, with what is absent and the cure, until all its shared data is there."""
    near, far = load_conditions(write(SOUND)).values()
    assert near.skipped is None
    (tmp_path / "shared/data/set").mkdir(parents=True)
    assert "papers.jsonl is not there; set RAG_QA_SHARED" in far.skipped
    (tmp_path / "shared/data/papers.jsonl").touch()
    assert far.skipped is None


@pytest.mark.parametrize(
    ("bound", "found", "ok"),
    [
        (Bound(expected=0.5, tolerance=0.1), 0.4, True),
        (Bound(expected=0.5, tolerance=0.1), 0.399, False),
        (Bound(expected=0.5, tolerance=0), 1.0, True),
        (Bound(expected=0.3, tolerance=0.2), 0.1, True),
        (Bound(maximum=0.05), 0.05, True),
        (Bound(maximum=0.05), 0.051, False),
        (Bound(maximum=0.05), 0.0, True),
    ],
)
def test_bounds_are_one_sided(bound: Bound, found: float, ok: bool) -> None:
    """Better than expected is never a miss, and the bound itself is still good enough."""
    assert bound.admits(found) is ok


def test_a_score_that_was_not_found_is_a_miss(write) -> None:
    """A score that the report lacks fails its condition instead of passing unseen."""
    findings = judge(load_conditions(write(SOUND))["near"], report(answerable_refused=0.0))
    assert [finding.ok for finding in findings] == [False, True]
    assert str(findings[0]).endswith("found -      MISS")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no condition"),
        ("[x", "not TOML"),
        ("x = 1", "'x'"),
        ("[x]\nfolder = 'f'", "scores"),
        ("[x]\nfolder = 'f'\n[x.scores]", "scores"),
        ("[x.scores]\nrefused = {maximum = 1}", "folder"),
        ("[x]\nfolder = 'f'\nfolders = 'f'\n[x.scores]\nrefused = {maximum = 1}", "folders"),
        ("[x]\nfolder = 'f'\nstyle = 'poem'\n[x.scores]\nrefused = {maximum = 1}", "style"),
        ("[x]\nfolder = 'f'\n[x.scores]\n'mrr@10' = {expected = 1}", "go together"),
        ("[x]\nfolder = 'f'\n[x.scores]\n'mrr@10' = {expected = 1, tolerance = -1}", "tolerance"),
        ("[x]\nfolder = 'f'\n[x.scores]\n'mrr@10' = {}", "either"),
        ("[x]\nfolder = 'f'\n[x.scores]\n'mrr@10' = {maximum = 1}", "better when higher"),
        (
            "[x]\nfolder = 'f'\n[x.scores]\n'answerable_refused/fact' = {expected = 1, tolerance = 0}",
            "better when lower: give it a maximum",
        ),
    ],
)
def test_a_malformed_file_is_an_error_with_the_edit(write, text: str, message: str) -> None:
    """The error names the file, the condition and the shape it should have."""
    with pytest.raises(EvaluationError, match=rf"(?s)conditions\.toml.*{message}.*; a condition is \[NAME\]"):
        load_conditions(write(text))


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    """Without the file, the message names the path and how to name another."""
    with pytest.raises(EvaluationError, match=r"no conditions at .*--conditions"):
        load_conditions(tmp_path / "conditions.toml")


def test_conditions_are_chosen_by_name(write) -> None:
    """Names choose, none means all, and an unknown name is an error that lists the known ones."""
    conditions = load_conditions(write(SOUND))
    assert [c.name for c in choose(conditions, [])] == ["near", "far"]
    assert [c.name for c in choose(conditions, ["far", "far"])] == ["far"]
    with pytest.raises(EvaluationError, match="'seed'; name one of near, far"):
        choose(conditions, ["seed"])


@pytest.mark.parametrize("name", ["sample", "conversations", "seeds", "seeds_heldout"])
def test_our_results_meet_our_conditions(name: str) -> None:
    """The results in the repository miss no bound, and no expectation lies above them."""
    condition = load_conditions(ROOT / "eval" / "conditions.toml")[name]
    assert condition.folder.is_dir()
    findings = judge(condition, read_results(ROOT / "eval" / "results" / f"{name}.json"))
    assert [str(finding) for finding in findings if not finding.ok] == []
    for finding in findings:
        if finding.bound.expected is not None:
            assert finding.found == pytest.approx(finding.bound.expected, abs=6e-4)


@pytest.mark.parametrize("name", ["sample", "seeds", "seeds_heldout"])
@pytest.mark.parametrize(
    ("score", "fallen"),
    [
        ("citation_recall", 0.999),
        ("citation_precision", 0.999),
        ("quote_exactness", 0.999),
        ("invalid_citations", 1.0),
        ("key_facts_shown", 0.75),
        ("abstention_precision", 0.75),
        ("abstention_recall", 0.4),
        ("answerable_refused", 0.1),
    ],
)
def test_a_fall_in_grounding_is_a_miss(name: str, score: str, fallen: float) -> None:
    """Each of our conditions over questions fails when its own result is worse in one figure of grounding."""
    condition = load_conditions(ROOT / "eval" / "conditions.toml")[name]
    kept = read_results(ROOT / "eval" / "results" / f"{name}.json").scores
    findings = judge(condition, report(**{**kept, score: fallen}))
    assert [finding.score for finding in findings if not finding.ok] == [score]


def test_a_fall_in_resolution_is_a_miss() -> None:
    """Conversations fail under .936, and if anything leaks into a question that stands alone."""
    condition = load_conditions(ROOT / "eval" / "conditions.toml")["conversations"]
    fallen = {"resolution": 0.935, "metadata": 1.0, "leaks": 0.01}
    assert [finding.ok for finding in judge(condition, report(**fallen))] == [False, True, False]
    least = fallen | {"resolution": 0.937, "leaks": 0.0}
    assert all(finding.ok for finding in judge(condition, report(**least)))


@pytest.mark.shared
@pytest.mark.parametrize("name", ["litsearch_dev", "autoscholar_dev"])
def test_the_shared_corpus_holds_the_papers_listed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The conditions over shared data find all of it."""
    shared = Path(os.environ.get("RAG_QA_SHARED") or ROOT.parent / "shared")
    if not (shared / "data").is_dir():
        pytest.skip(f"no test data at {shared}/data (set RAG_QA_SHARED)")
    monkeypatch.setenv("RAG_QA_SHARED", str(shared))
    condition = load_conditions(ROOT / "eval" / "conditions.toml")[name]
    assert condition.skipped is None
    assert condition.split == "dev"


def test_a_model_that_is_not_here_is_a_reason_to_skip(write, monkeypatch: pytest.MonkeyPatch) -> None:
    """A condition with a language model is skipped, with the command that brings it, until that is there."""

    def absent(name: str, *, kind: str) -> None:
        raise ModelNotFoundError(f"{name} is not on this machine. Run: bring it")

    condition = load_conditions(write(SOUND.replace("[near.scores]", 'model = "W"\n[near.scores]')))["near"]
    monkeypatch.setattr(conditions, "locate_model", absent)
    assert condition.skipped == "W is not on this machine. Run: bring it"
    monkeypatch.setattr(conditions, "locate_model", lambda name, kind: None)
    assert condition.skipped is None


def test_a_record_is_a_block_that_its_report_meets(write) -> None:
    """What is printed can be pasted into the file; each score may then be worse by what one question weighs."""
    rows = tuple(
        {"id": str(n), "kind": "fact", "scores": {"recall@5": n / 3, "answerable_refused": float(n == 0)}}
        for n in range(4)
    )
    found = EvalReport(
        name="r", scores={"recall@5": 0.5, "answerable_refused": 0.25}, per_query=rows, provenance={}
    )
    near = load_conditions(write(SOUND))["near"]
    block = record(near, found)
    assert block.splitlines() == [
        "[near.scores]",
        '"recall@5" = { expected = 0.500, tolerance = 0.250 }',
        "answerable_refused = { maximum = 0.500 }",
    ]
    again = load_conditions(write(f'[near]\nfolder = "set"\n{block}\n'))["near"]
    assert all(finding.ok for finding in judge(again, found))
    with pytest.raises(EvaluationError, match="no score 'recall@5'"):
        record(near, report())
