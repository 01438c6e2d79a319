"""`rag-qa index`: what it prints, writes and refuses."""

import json

import pytest

from rag_qa.app.options import DEFAULT_INDEX
from rag_qa.index.lock import writing

pytestmark = pytest.mark.usefixtures("papers_folder")
WHICH = "which papers discuss a competitive game?"


def test_indexing_reports_on_stdout(run):
    """`index` says what it did on stdout and is silent on stderr when nobody watches."""
    code, out, err = run("index", "papers.jsonl")
    assert (code, err) == (0, "")
    assert out.startswith(
        "3 records found: 3 added, 0 merged, 0 unchanged, 0 skipped; 3 passages embedded.\n3 papers in"
    )


def test_indexing_again_embeds_nothing(run):
    """The same sources again change nothing, and JSON says so field by field."""
    run("index", "papers.jsonl")
    code, out, _ = run("index", "papers.jsonl", "--json")
    report = json.loads(out)
    assert code == 0
    assert (report["unchanged"], report["added"], report["embedded"]) == (3, 0, 0)


def test_skips_go_to_stderr(run, papers_folder):
    """Skipped records are named on stderr; the run succeeds."""
    (papers_folder / "bad.jsonl").write_text(
        '{"title": "x"}\n{"title": "y", "abstract": "Words enough for a paper."}\n'
    )
    code, out, err = run("index", "bad.jsonl")
    assert code == 0
    assert "1 skipped" in out
    assert err.startswith("skipped: ")
    assert err.count("\n") == 1


def test_a_report_has_a_line_for_each_record(run, papers_folder, papers):
    """`--report FILE` writes path, record, fate, paper and reason of every record as JSON Lines."""
    (papers_folder / "more.jsonl").write_text(json.dumps(papers[0]) + '\n{"title": "x"}\n')
    code, out, _ = run("index", "papers.jsonl", "more.jsonl", "--report", "fates.jsonl")
    rows = [json.loads(line) for line in (papers_folder / "fates.jsonl").read_text().splitlines()]
    assert code == 0
    assert out.startswith("5 records found: 3 added, 1 merged, 0 unchanged, 1 skipped;")
    assert [set(row) for row in rows] == [{"path", "record", "fate", "paper_id", "reason"}] * 5
    assert [row["fate"] for row in rows] == ["added", "added", "added", "merged", "skipped"]
    assert [row["paper_id"] for row in rows[::3]] == ["eigengame", "eigengame"]
    assert rows[4]["reason"] == "no abstract"


@pytest.mark.parametrize("target", ["nowhere/fates.jsonl", "."])
def test_a_report_that_cannot_be_written_is_reported_before_the_run(run, fails_with, papers_folder, target):
    """A report file in a missing folder, or named like a folder, is an error before anything is indexed."""
    fails_with(run("index", "papers.jsonl", "--report", target), "--report cannot write")
    assert not (papers_folder / DEFAULT_INDEX).exists()


@pytest.mark.parametrize("flags", [[], ["--json"], ["--dry-run"]])
def test_a_run_that_took_nothing_fails_and_says_why(run, papers_folder, flags):
    """If no record became a paper, the counts are printed, then the reasons, and the status is 1."""
    (papers_folder / "bad.jsonl").write_text('{"title": "x"}\n{"title": "y"}\n')
    code, out, err = run("index", "bad.jsonl", *flags)
    assert code == 1
    assert "2 records found" in out or json.loads(out)["found"] == 2
    assert "no paper was taken: 2 records: 2 × no abstract" in err
    assert "BibTeX, RIS" in err


def test_a_dry_run_writes_nothing(run, fails_with, papers_folder):
    """`--dry-run` says what would change and leaves no index behind."""
    code, out, _ = run("index", "papers.jsonl", "--dry-run")
    assert code == 0
    assert "Dry run: nothing was written" in out
    fails_with(run("ask", WHICH), "no finished index")


@pytest.mark.parametrize("source", ["missing.jsonl", "*.nothing", "empty"])
def test_a_source_that_is_not_there_is_reported(run, fails_with, papers_folder, source):
    """The error for a missing file, a glob without a match and an empty folder names it."""
    (papers_folder / "empty").mkdir()
    fails_with(run("index", source), source)


def test_strict_makes_a_skip_an_error(run, fails_with, papers_folder):
    """`--strict` refuses a source with a broken record and says which."""
    (papers_folder / "bad.jsonl").write_text('{"title": "x"}\n')
    fails_with(run("index", "bad.jsonl", "--strict"), "record 1")


def test_a_locked_index_is_reported(run, fails_with, indexed):
    """While another run writes, a second one is asked to wait, and readers are answered."""
    with writing(indexed / DEFAULT_INDEX):
        fails_with(run("index", "papers.jsonl"), "another process is writing")
        assert run("ask", WHICH)[0] == 0
