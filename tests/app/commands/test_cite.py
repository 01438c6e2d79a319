"""`rag-qa cite`, and an answer into a file: which papers, in which format, where to."""

import json

import pytest

from rag_qa.answering import assistant
from rag_qa.backends.locating import STARTER
from rag_qa.testing import HashingEmbedder

TEXT = "We let forty loaves rise in the dark and forty in the light, and found no difference in their height."
RECORDS = [
    {"id": "rise-2021", "title": "Light and bread", "abstract": TEXT, "doi": "10.5555/a", "year": 2021},
    {
        "id": "crumbs-2019",
        "title": "RETRACTED: On crumbs",
        "abstract": "Crumbs were counted on nine tables of one household.",
        "authors": ["Wilma Weaver"],
        "year": 2019,
    },
]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch, put_index):
    """A working directory with an index of two records, and a program for the clipboard."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAG_QA_MIN_RELEVANCE", "0")
    monkeypatch.setenv("RAG_QA_MODEL", STARTER)
    monkeypatch.setattr(assistant, "open_embedder", lambda settings: HashingEmbedder())
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    for display in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(display, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "pbcopy"
    program.write_text(f"#!/bin/sh\n/bin/cat > {tmp_path}/copied\n")
    program.chmod(0o755)
    put_index(RECORDS, tmp_path)
    return tmp_path


def test_papers_are_cited_in_the_order_named(run):
    """Ids, DOIs and arXiv ids name papers, each cited once; BibTeX is the default."""
    code, out, err = run("cite", "crumbs-2019", "https://doi.org/10.5555/a", "rise-2021")
    assert (code, err) == (0, "")
    assert [line for line in out.splitlines() if line.startswith("@")] == [
        "@misc{weaver2019retracted,",
        "@article{2021light,",
    ]
    assert "note = {Retracted}" in out


@pytest.mark.parametrize(
    ("arguments", "count"),
    [(["--all"], 2), (["--status", "retracted"], 1), (["--all", "--since", "2020"], 1)],
)
def test_all_papers_or_those_that_pass(run, arguments, count):
    """--all cites every paper, filters those that pass them."""
    code, out, _ = run("cite", *arguments, "--format", "csl")
    assert code == 0
    assert len(json.loads(out)) == count


def test_a_file_says_its_format(run, folder):
    """--output writes a new file in the format that its name stands for, and says so on stderr."""
    code, out, err = run("cite", "--all", "--output", "refs.ris")
    assert (code, out, err) == (0, "", "Exported: refs.ris\n")
    assert (folder / "refs.ris").read_text("utf-8").startswith("TY  - ")


@pytest.mark.process
def test_references_are_copied(run, folder):
    """--copy fills the clipboard and names the program that did."""
    code, out, err = run("cite", "rise-2021", "--format", "text", "--copy")
    assert (code, out, err) == (0, "", "Copied by pbcopy.\n")
    assert (folder / "copied").read_text() == "(2021). Light and bread. https://doi.org/10.5555/a.\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["crumbs-2020"], "the index has no paper 'crumbs-2020'; did you mean crumbs-2019"),
        (["zzz"], "`rag-qa papers` lists all ids"),
        ([], "cite --all"),
        (["rise-2021", "--all"], "cite --all"),
        (["--all", "--format", "docx"], "choose one of bib, ris, csl, text"),
        (["--all", "--output", "papers.bib/x.bib"], "there is no folder papers.bib"),
        (["--all", "--output", "papers.jsonl"], "end its name in one of"),
        (["--all", "--output", "refs.md"], "choose one of bib"),
    ],
)
def test_errors_are_one_line_that_says_what_to_do(run, arguments, words):
    """Nothing is printed but one line on stderr, and the status is 1."""
    code, out, err = run("cite", *arguments)
    assert (code, out) == (1, "")
    assert err.startswith("rag-qa: ")
    assert err.count("\n") == 1
    assert words in err


def test_a_file_that_is_there_stays(run, folder):
    """What somebody wrote by hand is never overwritten."""
    (folder / "refs.bib").write_text("mine")
    code, _, err = run("cite", "--all", "--output", "refs.bib")
    assert code == 1
    assert "exists already" in err
    assert (folder / "refs.bib").read_text() == "mine"


@pytest.mark.process
def test_an_answer_is_exported_and_copied(run, folder):
    """`ask --export` writes the answer in the format of the file's name; --copy copies it as Markdown."""
    code, out, err = run("ask", "does light matter for loaves?", "--export", "a.html", "--copy")
    assert code == 0
    assert "loaves" in out
    assert err.endswith("Exported: a.html\nCopied by pbcopy.\n")
    assert "<title>does light matter for loaves?</title>" in (folder / "a.html").read_text("utf-8")
    assert (folder / "copied").read_text("utf-8").startswith("# does light matter for loaves?\n")


def test_a_bad_target_is_reported_before_the_question_is_asked(run, folder):
    """A file of no known format ends `ask` before an answer is made."""
    code, out, err = run("ask", "does light matter?", "--export", "answer.docx")
    assert (code, out) == (1, "")
    assert "end its name in one of" in err
