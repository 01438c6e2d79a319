from textwrap import dedent

import pytest

from rag_qa.app.chat.papers import is_web_address, web_addresses
from rag_qa.types import Paper

QUESTION = "which papers discuss a competitive game?"
SENTENCE = "Principal component analysis is a competitive game of eigenvectors."
TOOK = "Took: "


def without_figures(text):
    """A transcript without its times and what they depend on."""
    return "\n".join(
        line for line in text.splitlines() if not line.startswith((TOOK, "Features", "Decision"))
    )


@pytest.fixture
def browser(monkeypatch):
    """The addresses that a browser was asked to open."""
    opened = []

    def open_one(address):
        opened.append(address)
        return True

    monkeypatch.setattr("webbrowser.open", open_one)
    return opened


def test_a_session_of_looking_closer(ask_games, transcript):
    """/papers, /more, /similar and /paper number papers on, and show one whole with its quotes marked."""
    said = transcript(ask_games(), QUESTION, "/more", "/similar 1", "/paper [1]", "/papers", width=200)
    assert said == dedent(
        """\
        “An auction is a competitive game in which players bid for goods.” [1]
        “We present principal component analysis as a competitive game of eigenvectors.” [2]

        [1] On auctions. Ana Álvarez, Ian Gemp, Journal of Games, 2021, auction
        [2] EigenGame: PCA as a Nash Equilibrium. Ian Gemp, Brian McWilliams, ICLR, 2020, eigengame

        [3] On chess 4. chess4
        [4] On chess 3. chess3
        [5] On chess 7. chess7
        [6] On chess 8. chess8
        [7] On chess 1. chess1

        [2] EigenGame: PCA as a Nash Equilibrium. Ian Gemp, Brian McWilliams, ICLR, 2020, eigengame
        [4] On chess 3. chess3
        [8] On soup. 2019, soup
        [5] On chess 7. chess7
        [6] On chess 8. chess8

        [1] On auctions. Ana Álvarez, Ian Gemp, Journal of Games, 2021, auction
        “An auction is a competitive game in which players bid for goods.” Sellers gain.
        https://doi.org/10.1000/auction(1)

        [1] On auctions. Ana Álvarez, Ian Gemp, Journal of Games, 2021, auction
        [2] EigenGame: PCA as a Nash Equilibrium. Ian Gemp, Brian McWilliams, ICLR, 2020, eigengame
        [3] On chess 4. chess4
        [4] On chess 3. chess3
        [5] On chess 7. chess7
        [6] On chess 8. chess8
        [7] On chess 1. chess1
        [8] On soup. 2019, soup

        """
    )


def test_more_ends_with_the_papers(ask_games, transcript):
    """/more shows papers until none is left, and says so."""
    said = transcript(ask_games(), QUESTION, "/more", "/more", "/more")
    assert said.count("[11] ") == 1
    assert said.endswith("There are no more papers.\n\n")


def test_more_of_a_list_by_metadata(ask_games, transcript):
    """/more of papers that the index's metadata gave goes on with the next newest."""
    said = transcript(ask_games(listed_papers=1), "papers since 2019", "/more", width=200)
    assert said.endswith(
        "[2] EigenGame: PCA as a Nash Equilibrium. Ian Gemp, Brian McWilliams, ICLR, 2020, eigengame\n"
        "[3] On soup. 2019, soup\n\n"
    )


def test_an_id_will_do_for_a_number(ask_games, transcript):
    """A paper that was never on the screen is shown by its id, and then has a number."""
    said = transcript(ask_games(), "/paper soup", "/paper 1", "/paper suop", "/paper 7", width=200)
    assert said.count("[1] On soup. 2019, soup\nSoup is made of water") == 2
    assert "There is no paper suop (did you mean soup?): the screen shows 1 to 1, and" in said
    assert "There is no paper 7: the screen shows 1 to 1, and" in said


def test_a_new_answer_numbers_anew(ask_games, transcript):
    """After another answer the numbers are those of its papers."""
    said = transcript(ask_games(), QUESTION, "/more", "which papers discuss soup?", "/paper 1")
    assert "[1] On soup. 2019, soup\n“Soup is made of water and vegetables.”" in said


def test_why_a_quote(ask_games, transcript):
    """/why N shows the quote between its neighbours, the decision, and what each stage took."""
    said = transcript(ask_games(), QUESTION, "/why 2", width=200)
    assert without_figures(said).endswith(
        dedent(
            """\
            We present principal component analysis as a competitive game of eigenvectors.
            Verbatim quote
            [2] EigenGame: PCA as a Nash Equilibrium. Ian Gemp, Brian McWilliams, ICLR, 2020, eigengame
                We study a familiar method of statistics. “We present principal component analysis as a \
competitive game of eigenvectors.” Its players reach an equilibrium.
            """
        )
    )
    assert "Decision: the papers answer it with probability " in said
    assert "Took: search 0." in said
    assert ", total " in said


def test_why_prose(ask_games, transcript):
    """/why N shows the verdict on a written sentence with its probability, and what the model said."""
    assistant = ask_games([SENTENCE], [[0.97, 0.02, 0.01], *[[0.99, 0.01]] * 9])
    said = transcript(assistant, "what is principal component analysis?", "/why 1", width=200)
    assert (
        f"\n{SENTENCE}\nWritten by the language model, supported by what it cites with probability " in said
    )
    assert "the model finds it stated 0.9" in said
    assert "write " in said.rpartition(TOOK)[2]


def test_why_of_several_sentences(ask_games, transcript):
    """/why without a number numbers the sentences; a number that none has is an error."""
    said = transcript(ask_games(), QUESTION, "/why", "/why 3", "/why x")
    assert " 1. An auction is a competitive game in which players bid for goods. (Verbatim quote)\n" in said
    assert "\n 2. We present principal" in said
    assert "The last answer has no sentence 3; it has 2: /why 1." in said
    assert "The last answer has no sentence x; it has 2: /why 1." in said


def test_why_not(ask_games, transcript):
    """/why of a refusal says why, and with what probability the papers would answer."""
    assistant = ask_games([], [[0.01, 0.99]] * 3, min_relevance=None)
    said = transcript(assistant, "what is the boiling point of iron?", "/why", "/why 1")
    assert said.count("The papers don't say: ") == 2
    assert "Decision: the papers answer it with probability 0.0" in said
    assert "The last answer has no sentence 1; it has none" in said


def test_open_prints_and_opens_nothing_from_a_pipe(ask_games, transcript, browser):
    """/open prints the address; without a terminal no browser is started."""
    said = transcript(ask_games(), QUESTION, "/open 1", "/open 2")
    assert "\n\nhttps://doi.org/10.1000/auction(1)\n\nhttps://example.org/eigengame\n\n" in said
    assert browser == []


def test_open_opens_in_a_terminal(ask_games, terminal, browser):
    """/open opens the address that it prints in the browser, and never one that is not of the web."""
    from rich.console import Console

    from rag_qa.app.chat.repl import chat_with

    console = Console(file=terminal(100, 40), force_terminal=True, _environ={"TERM": "xterm"})
    chat_with(ask_games(), console, iter(["/open eigengame", "/open soup", "/open auction"]))
    assert browser == ["https://example.org/eigengame", "https://doi.org/10.1000/auction(1)"]
    assert "No web address is known for On soup" in console.file.getvalue()


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://",
        "http:///x",
        "--help",
        "https://a b",
        "https://a\x1b[2J",
        "https://a/`id`",
        'https://a/"',
        "ftp://a/b",
        "https://[",
        "",
    ],
)
def test_what_is_no_web_address(address):
    """An address of another scheme, without a host, or with what no address holds is never opened."""
    assert not is_web_address(address)
    assert list(web_addresses(Paper(id="x", abstract="A.", url=address))) == []


def test_ids_become_addresses():
    """A paper without an address is found by its DOI, arXiv id or PubMed id, whatever they hold."""
    paper = Paper(id="x", abstract="A.", doi="10.1/<a b>?", arxiv_id="2010.00554", pmid="12")
    assert list(web_addresses(paper)) == [
        "https://doi.org/10.1/%3Ca%20b%3E%3F",
        "https://arxiv.org/abs/2010.00554",
        "https://pubmed.ncbi.nlm.nih.gov/12",
    ]


def test_undo_and_retry(ask_games, transcript):
    """/undo forgets a turn; /retry asks the last question again, under what was set since."""
    said = transcript(
        ask_games(),
        "which papers discuss soup?",
        QUESTION,
        "/undo",
        "/papers",
        "/filter year=2019",
        "/retry",
        "/stats",
    )
    assert (
        f"Taken back: {QUESTION}\n\n[1] On soup. 2019, soup\n\n1 papers from 2019.\n\n“Soup is made" in said
    )
    assert "Questions: 1 (1 answered, 0 not)" in said


def test_a_retry_that_fails_leaves_the_answer(ask_games, transcript):
    """If the question cannot be asked again, its answer stays."""
    assistant = ask_games()
    lines = (QUESTION, "/retry", "/papers")
    kept = assistant.stream

    def fails(question, *, history=(), filter=None, literal=False):
        if fails.asked:
            raise KeyboardInterrupt
        fails.asked = True
        return kept(question)

    fails.asked = False
    assistant.stream = fails
    said = transcript(assistant, *lines)
    assert "(stopped)\n\n[1] On auctions" in said


def test_stats(ask_games, transcript):
    """/stats counts questions, sentences and papers, and says that nothing is saved where nothing is."""
    said = transcript(ask_games(), QUESTION, "/stats")
    assert "Questions: 1 (1 answered, 0 not)\nSentences: 2 (2 quoted; 2 supported)\nSeconds: " in said
    assert "\nStages: " in said
    assert said.endswith("Papers: 11 in the index\nSession: not saved\n\n")


def test_stats_count_tokens(ask_games, transcript):
    """/stats prints the tokens that the language model read and wrote."""
    assistant = ask_games([SENTENCE], [[0.97, 0.02, 0.01], *[[0.99, 0.01]] * 9])
    said = transcript(assistant, "what is principal component analysis?", "/stats")
    assert f"about {len(SENTENCE.split())} written since the start" in said


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("a.md", "#"),
        ("a.html", "<!"),
        ("a.bib", "@"),
        ("a.ris", "TY  - "),
        ("a.csl.json", "["),
        ("a.json", "{"),
        ("a", "{"),
    ],
)
def test_save_in_the_format_that_the_name_says(ask_games, transcript, tmp_path, name, begins):
    """/save writes what the end of the name says, and a receipt where it says none; never over a file."""
    path = tmp_path / name
    said = transcript(ask_games(), QUESTION, f"/save {path}", f"/save {path}", width=200)
    assert f"Saved: {path}\n" in said
    assert "exists already; name another file" in said
    assert path.read_text(encoding="utf-8").lower().startswith(begins.lower())
    assert ("receipt_sha256" in path.read_text(encoding="utf-8")) == (name in ("a", "a.json"))


def test_save_says_which_formats_there_are(ask_games, transcript, tmp_path):
    """A name of an unknown format, or in a folder that is not there, is not written."""
    said = transcript(
        ask_games(), QUESTION, f"/save {tmp_path}/a.pdf", f"/save {tmp_path}/none/a.md", "/copy pdf"
    )
    assert ".csl.json" in said
    assert f"there is no folder {tmp_path}/none" in said
    assert not list(tmp_path.glob("a*"))


@pytest.mark.process
def test_copy(ask_games, transcript, tmp_path, monkeypatch):
    """/copy gives the answer to the program of this system's clipboard, and says what to do where there is none."""
    program = tmp_path / "wl-copy"
    program.write_text(f"#!/bin/sh\nexec /bin/cat > {tmp_path}/copied\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    assert "Copied as md by wl-copy." in transcript(ask_games(), QUESTION, "/copy")
    assert "principal component analysis" in (tmp_path / "copied").read_text()
    assert "Copied as bib by wl-copy." in transcript(ask_games(), QUESTION, "/copy bib")
    assert (tmp_path / "copied").read_text().lstrip().startswith("@")
    monkeypatch.delenv("WAYLAND_DISPLAY")
    monkeypatch.setenv("TERM", "dumb")
    assert "There is no clipboard here; /save FILE.md" in transcript(ask_games(), QUESTION, "/copy")
