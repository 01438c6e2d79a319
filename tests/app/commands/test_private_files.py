"""What commands write is readable by its user alone, and is not given a name that acts on a terminal."""

import os
import stat

import pytest

PAPER = {"id": "soup", "title": "On soup", "abstract": "Soup is made of water and vegetables."}
QUESTION = "What is soup made of?"


@pytest.fixture(autouse=True)
def folder(papers_folder, put_index):
    """A working directory with an index, in a process whose new files are open to everybody."""
    put_index([PAPER], papers_folder)
    before = os.umask(0)
    yield papers_folder
    os.umask(before)


ASK = ("ask", QUESTION, "--style", "quote", "--no-service")


@pytest.mark.parametrize(
    ("command", "file"),
    [
        ((*ASK, "--save", "answer.json"), "answer.json"),
        ((*ASK, "--export", "answer.md"), "answer.md"),
        ((*ASK, "--export", "papers.bib"), "papers.bib"),
        (("cite", "soup", "--output", "soup.ris"), "soup.ris"),
        (("index", "papers.jsonl", "--index", "new", "--report", "fates.jsonl"), "fates.jsonl"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[-2],
)
def test_a_file_is_its_users_alone(command, file, folder, run):
    """Answers, receipts, references and reports have mode 600, whatever the umask."""
    code, _, err = run(*command)
    assert code == 0, err
    assert oct(stat.S_IMODE((folder / file).stat().st_mode)) == "0o600"


@pytest.mark.parametrize("option", ["--save", "--export"])
@pytest.mark.parametrize("name", ["\x1b[31mred\nx.json", "gpj\u202e.json"])
def test_a_name_that_acts_on_a_terminal_is_refused(option, name, folder, run):
    """Nothing is answered or written, and the message shows the name without its effect."""
    before = sorted(os.listdir(folder))
    code, out, err = run(*ASK, option, name)
    assert (code, out) == (1, "")
    assert "holds control characters; name another file" in err
    assert "\x1b" not in err
    assert "\u202e" not in err
    assert sorted(os.listdir(folder)) == before
