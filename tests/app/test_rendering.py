import io

import pytest
from rich.console import Console

from rag_qa.app.printing import say
from rag_qa.app.rendering import (
    Marks,
    describe,
    set_aside_notes,
    show_hits,
    show_sentence,
    show_sources,
    show_stream,
)
from rag_qa.types import (
    Answer,
    Citation,
    Event,
    Hit,
    Paper,
    Passage,
    Query,
    Sentence,
    Verdict,
    Version,
)

LONG = (
    "A sentence that is a good deal longer than eighty characters, as sentences of abstracts are wont to be."
)
PAPER = Paper(
    id="p1",
    title="On [bold]markup[/] and [/]",
    abstract=LONG,
    authors=("[red]A", "B"),
    venue=":x:",
    year=2020,
)
OTHER = Paper(
    id="p2", abstract="Words of a paper without any title that go on and on for long.", kind="synopsis"
)


@pytest.fixture
def screen():
    """A console that writes into a pipe, and what it wrote."""
    return Console(file=io.StringIO(), width=40)


def shown(console):
    """What was written, with escapes visible."""
    return console.file.getvalue().replace("\x1b", "<ESC>")


def sentence(kind="quote", label="supported", papers=("p1",), text=LONG):
    """A sentence that cites papers."""
    citations = tuple(Citation(paper_id=key, quote=LONG, start=0, end=len(LONG)) for key in papers)
    return Sentence(text=text, kind=kind, citations=citations, verdict=Verdict(label=label, probability=1.0))


def answer(*sentences, papers=(PAPER,), nearest=()):
    """An answer of these sentences."""
    return Answer(
        question="?",
        abstained=not sentences,
        reason=None if sentences else "nothing was found",
        sentences=sentences,
        papers=papers if sentences else (),
        nearest=nearest,
        provenance={},
        timings={},
    )


def test_marks_number_papers_in_order_of_citation():
    """A paper keeps the number that it got first; marks of one sentence are sorted and stand once."""
    marks = Marks()
    of = lambda *ids: marks.of(sentence(papers=ids).citations)  # noqa: E731  # shorter than a def
    assert [of("b"), of("a"), of("a", "b", "a"), of()] == ["[1]", "[2]", "[1][2]", ""]


def test_a_quote_is_in_quotation_marks_on_one_line_of_a_pipe(screen):
    """Piped, a quote is one line however long, without colours."""
    show_sentence(screen, sentence(), Marks())
    assert shown(screen) == f"\u201c{LONG}\u201d [1]\n"


@pytest.mark.parametrize(
    ("label", "line"),
    [("supported", "It is so. [1]\n"), ("partial", "It is so. [1] (partial by its source)\n")],
)
def test_prose_says_how_far_it_is_supported(screen, label, line):
    """Prose has no quotation marks; prose that is not supported says so."""
    show_sentence(screen, sentence("prose", label, text="It is so."), Marks())
    assert shown(screen) == line


def test_markup_and_emoji_codes_are_text(screen):
    """What looks like rich markup or an emoji code in a paper is printed as it is."""
    show_sources(screen, answer(sentence()))
    assert shown(screen) == "\n[1] On [bold]markup[/] and [/]. [red]A, B, :x:, 2020, p1\n"


@pytest.mark.parametrize(
    ("status", "shown_as", "warning"),
    [
        ("retracted", "[1] RETRACTED: T.", "RETRACTED: [1] has been retracted"),
        ("expression of concern", "[1] EXPRESSION OF CONCERN: T.", "EXPRESSION OF CONCERN: [1] is under"),
        ("corrected", "[1] CORRECTED: T.", "CORRECTED: [1] has been corrected"),
    ],
)
def test_an_answer_says_what_to_know_of_a_paper_that_it_cites(screen, status, shown_as, warning):
    """A status stands before the heading, and a warning line for each cited paper below the papers."""
    paper = PAPER.model_copy(update={"title": "T", "status": status})
    show_sources(screen, answer(sentence(), papers=(paper,)))
    assert shown_as in shown(screen)
    assert warning in shown(screen).splitlines()[-1]


def test_a_mark_in_the_title_is_not_repeated():
    """A title that says RETRACTED is shown as it is."""
    paper = PAPER.model_copy(update={"title": "RETRACTED: T", "status": "retracted"})
    assert describe(paper).plain.startswith("RETRACTED: T. ")


def test_preprints_and_other_versions_are_reported():
    """A preprint is said to be one, and where and when other versions appeared."""
    paper = PAPER.model_copy(update={"title": "T", "venue": "V", "status": "preprint"})
    assert describe(paper).plain.endswith(" (preprint)")
    versions = (
        Version(title="T", year=2018, arxiv_id="1801.00001"),
        Version(title="U", venue="V", year=2020),
    )
    published = paper.model_copy(update={"status": None, "versions": versions})
    assert describe(published).plain.endswith(", p1 (also arXiv 2018)")


def test_quotes_stand_behind_prose(screen):
    """Under a paper stand the quotes that prose cites, each once."""
    show_sources(screen, answer(sentence("prose"), sentence("prose")))
    assert shown(screen).count(LONG) == 1


def test_a_quote_that_is_a_sentence_is_not_repeated(screen):
    """What the answer quotes as a sentence of its own does not stand again under its paper."""
    short = Citation(paper_id="p1", quote=LONG[:10], start=0, end=10)
    prose = sentence("prose").model_copy(update={"citations": (*sentence().citations, short)})
    show_sources(screen, answer(prose, sentence()))
    assert shown(screen).splitlines()[2:] == [f"    \u201c{LONG[:10]}\u201d"]


@pytest.mark.parametrize("terminal", [True, False])
def test_text_is_printed_once_it_is_checked(terminal):
    """An answer is printed sentence by sentence, prose bold in a terminal; pieces of text are not printed."""
    console = Console(file=io.StringIO(), width=200, force_terminal=terminal)
    prose = sentence("prose", text="It is so.")
    events = [
        Event(kind="hits", query=Query(text="?", topic="?", understood_as="is it so?")),
        Event(kind="piece", piece="It is "),
        Event(kind="piece", piece="not at all"),
        Event(kind="sentence", sentence=prose),
        Event(kind="answer", answer=answer(prose)),
    ]
    assert show_stream(console, iter(events)) == answer(prose)
    lines = shown(console).splitlines()
    if terminal:
        assert lines[1].startswith("<ESC>[1mIt is so.<ESC>[0m")
    else:
        assert lines == [
            "Understood as: is it so?",
            "It is so. [1]",
            "",
            "[1] On [bold]markup[/] and [/]. [red]A, B, :x:, 2020, p1",
            f"    \u201c{LONG}\u201d",
        ]
    assert "not at all" not in shown(console)


def test_an_abstention_shows_why_and_what_is_near(screen):
    """An abstention says so and lists the nearest papers as such, without numbers."""
    show_sources(screen, answer(nearest=(PAPER, OTHER)))
    lines = shown(screen).splitlines()
    assert lines[0] == "The papers don't say: nothing was found."
    assert lines[2] == "Nearest papers, which do not answer it:"
    assert [line[:4] for line in lines[3:]] == ["  - ", "  - "]


def test_papers_whose_text_addresses_the_reader_are_named(screen):
    """Under an answer, a paper cited is named by its number and another by its title."""
    given = answer(sentence(), papers=(PAPER,)).model_copy(update={"set_aside": (PAPER, OTHER)})
    assert set_aside_notes(given) == [
        "[1] holds text that addresses its reader; it was not used.",
        f"“{OTHER.heading}” holds text that addresses its reader; it was not used.",
    ]
    show_sources(screen, given)
    show_sources(screen, answer().model_copy(update={"set_aside": (OTHER,)}))
    assert " ".join(shown(screen).split()).count("addresses its reader; it was not used.") == 3


def test_an_abstention_without_papers_lists_none(screen):
    """If no paper is near, none is announced."""
    show_sources(screen, answer())
    assert shown(screen) == "The papers don't say: nothing was found.\n"


def test_an_untitled_synopsis_says_both():
    """A paper without a title is called by its opening words, and a synopsis is labelled."""
    opening = "Words of a paper without any title that go on\u2026 (untitled)"
    assert describe(OTHER).plain == f"{opening}. p2 (synopsis)"


def test_four_authors_are_the_first_and_others():
    """Up to three authors are named, of more the first."""
    paper = PAPER.model_copy(update={"authors": ("A", "B", "C", "D"), "venue": None, "title": "T"})
    assert describe(paper).plain == "T. A et al., 2020, p1"


def test_authors_that_a_source_leaves_out_are_et_al():
    """If the source's list was cut short, few authors are not all."""
    paper = PAPER.model_copy(
        update={"authors": ("A", "B"), "more_authors": True, "venue": None, "title": "T"}
    )
    assert describe(paper).plain == "T. A, B et al., 2020, p1"


def test_hits_show_rank_score_and_passage(screen):
    """A hit is its rank and paper, then its score and the opening of its passage."""
    passage = Passage(id="x", paper_id="p1", text=LONG * 5, start=0, end=5 * len(LONG))
    show_hits(screen, [Hit(paper=PAPER, passage=passage, score=0.5, rank=1, components={})])
    first, second = shown(screen).splitlines()
    assert first.startswith(" 1. On [bold]markup[/]")
    assert second.startswith("    0.500  A sentence")
    assert second.endswith(" \u2026")


def test_no_hits_are_no_silence(screen):
    """Search over an empty index says that it is empty."""
    show_hits(screen, [])
    assert shown(screen) == "The index holds no papers.\n"


def test_control_characters_in_a_message_are_taken_out(screen):
    """A path with escapes in it cannot act on the terminal, and a long message stays on its line."""
    say(screen, f"no file \x1b[31mred\x9b31m\x07 {LONG}\nnext")
    assert shown(screen) == f"no file [31mred31m {LONG}\nnext\n"


def test_what_was_found_in_a_pdf_is_marked():
    """A paper whose title and abstract come from the layout of a PDF says so."""
    assert describe(PAPER.model_copy(update={"kind": "pdf"})).plain.endswith(
        "(title and abstract found in a PDF)"
    )
