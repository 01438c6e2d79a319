"""What is printed of an indexing run."""

import io

import pytest
from rich.console import Console

from rag_qa.app.index_report import show_report, show_skips
from rag_qa.types import Fate, IndexReport, Skipped


@pytest.fixture
def screen():
    """A console that writes into a pipe."""
    return Console(file=io.StringIO(), width=40)


def shown(console):
    """What was written."""
    return console.file.getvalue()


def report(**fields):
    """A report of an indexing run, all zeros but these."""
    zeros = dict.fromkeys(
        "found read added changed merged unchanged removed skipped embedded papers seconds".split(), 0
    )
    return IndexReport(**{**zeros, "skips": (), "fates": (), **fields})


def test_a_report_counts(screen):
    """A report gives the counts that are always there, changed and removed only where there are any."""
    show_report(screen, report(found=5, added=2, changed=1, removed=1, skipped=2, papers=9, seconds=1.25))
    assert shown(screen).splitlines() == [
        "5 records found: 2 added, 1 changed, 0 merged, 0 unchanged, 2 skipped; 1 removed from the index; "
        "0 passages embedded.",
        "9 papers in the index (1.2 s).",
    ]


def test_a_dry_run_does_not_claim_papers(screen):
    """After a dry run nothing is said to be in the index."""
    show_report(screen, report(papers=9), dry_run=True)
    assert shown(screen).splitlines()[1] == "Dry run: nothing was written; the index would hold 9 papers."


def test_ten_skips_are_shown_and_the_rest_counted(screen):
    """Of many skipped records ten are shown with file, number and reason."""
    skips = tuple(Skipped(path="a[b].json", record=n, reason="no abstract") for n in range(1, 13))
    taken = Fate(path="a[b].json", record=13, fate="added", paper_id="p")
    show_skips(screen, report(skips=skips, fates=(taken,)))
    lines = shown(screen).splitlines()
    assert lines[0] == "skipped: a[b].json, record 1: no abstract"
    assert lines[10:] == ["\u2026 and 2 more (--report FILE lists them all)"]


def test_a_file_of_which_nothing_was_taken_is_one_line(screen):
    """If no record of a file was taken, one line names it with the reasons, the most frequent first."""
    skips = [Skipped(path="a.csv", record=n, reason="no abstract") for n in range(1, 13)]
    skips += [
        Skipped(path="a.csv", record=13, reason="not a readable row"),
        Skipped(path="b", record=1, reason="empty file"),
    ]
    show_skips(screen, report(skips=tuple(skips)))
    assert shown(screen).splitlines() == [
        "nothing taken from a.csv: 13 records: 12 \xd7 no abstract; 1 \xd7 not a readable row",
        "nothing taken from b: empty file",
    ]
