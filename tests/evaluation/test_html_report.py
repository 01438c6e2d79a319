import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_qa.errors import EvaluationError
from rag_qa.evaluation.html_report import (
    MAX_FAILURES,
    MEANINGS,
    confidence_curve,
    find_failures,
    to_html,
    write_html,
)
from rag_qa.evaluation.reports import HEADLINES
from rag_qa.types import EvalReport, Interval

VOID = {"meta"}
HOSTILE = "<script>alert('x')</script>\" onload=\"x\x00\x1b[31m\u202e&amp;{{ 7*7 }}\ud800"


class Page(HTMLParser):
    """The tags of a page with their attributes, its visible text, and whether every tag is closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.seen: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.seen).split())

    def handle_starttag(self, tag: str, attrs) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.seen.append(data)


def row(key: str = "q1", **fields):
    """A row of a question that was answered perfectly, but for the fields given; `scores` are added to."""
    scores = {"citation_recall": 1.0, "paper_recall": 1.0, "answerable_refused": 0.0} | fields.pop(
        "scores", {}
    )
    plain = {
        "text": f"what is {key}?",
        "kind": "fact",
        "answerable": True,
        "refused": False,
        "reason": None,
        "gold": ["g"],
        "cited": ["g"],
        "missing_facts": [],
        "unsupported": [],
    }
    return {"id": key, **plain, **fields, "scores": scores}


def report(*rows, **fields) -> EvalReport:
    scores = {
        "citation_recall": 0.9,
        "invalid_citations": 2.0,
        "seconds_first": 3.0,
        "citation_recall/fact": 0.5,
    }
    scores |= {
        "seconds_median": 0.5,
        "seconds_p95": 1.0,
        "seconds_median/search": 0.1,
        "seconds_p95/search": 0.2,
    }
    plain = {
        "name": "tiny",
        "scores": scores,
        "per_query": rows,
        "provenance": {"commit": "abc", "a": {"b": 1}},
    }
    return EvalReport(**{**plain, **fields})


def refused(key: str, **fields):
    return row(key, refused=True, cited=[], scores={"answerable_refused": 1.0, "paper_recall": 0.0}, **fields)


def false_answer(key: str):
    return row(key, answerable=False, gold=[], scores={"abstention_recall": 0.0})


def test_the_page_tells_what_the_report_holds() -> None:
    """Provenance, scores, kinds, seconds and the failing question are on the page."""
    page = Page(
        to_html(report(row("q1", cited=["other"], missing_facts=["12 %"], scores={"paper_recall": 0.0})))
    )
    assert page.open == []
    for words in ("commit abc", "a.b 1", "citation_recall 0.900", "fact 1 0.500", "0.100 s, p95 0.200 s"):
        assert words in page.text
    for words in ("what is q1?", "gold papers missed", "question q1 (fact)", "gold g", "cited other", "12 %"):
        assert words in page.text


def test_the_page_needs_nothing_else() -> None:
    """There is no script, nothing is loaded from elsewhere, and the policy of the page forbids both."""
    page = Page(to_html(report(row(confidence=0.5), refused("q2"))))
    assert not {"script", "link", "img", "iframe", "object", "base", "form"} & set(page.tags)
    assert all(value.startswith("#") for name, value in page.attributes if name in ("href", "src"))
    assert not any(name.startswith("on") for name, _ in page.attributes)
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes
    assert "prefers-color-scheme: dark" in to_html(report())


def test_foreign_text_is_only_text(tmp_path) -> None:
    """Markup, quotes, template marks, controls and lone surrogates of any field are shown, and do nothing."""
    fields = dict.fromkeys(("text", "kind", "reason"), HOSTILE)
    lists = {name: [HOSTILE] for name in ("gold", "cited", "missing_facts", "unsupported")}
    bad = row(HOSTILE, **fields, **lists, scores={"citation_recall": 0.0, HOSTILE: 0.0})
    path = write_html(
        report(
            bad,
            name=HOSTILE,
            scores={HOSTILE: 0.5, f"citation_recall/{HOSTILE}": 0.1},
            provenance={HOSTILE: HOSTILE},
        ),
        tmp_path / "made" / "page.html",
    )
    html = path.read_text("utf-8")
    page = Page(html)
    assert page.open == []
    assert "script" not in page.tags
    assert not any(name.startswith("on") for name, _ in page.attributes)
    assert page.text.count("<script>alert('x')</script>") >= 10
    assert "{{ 7*7 }}" in page.text
    assert not {"\x00", "\x1b", "\u202e"} & set(html)
    assert "\ufffd0000" in page.text


@given(st.text())
def test_any_text_keeps_the_page_whole(text: str) -> None:
    """Whatever a question holds, the page's tags are the same and it can be written as UTF-8."""
    html = to_html(
        report(row("q", text=f"a{text}", scores={"citation_recall": 0.5}), scores={}, provenance={})
    )
    assert (
        Page(html).tags
        == Page(to_html(report(row("q", scores={"citation_recall": 0.5}), scores={}, provenance={}))).tags
    )
    html.encode("utf-8")


def test_the_worst_comes_first() -> None:
    """Invalid citations before unsupported sentences, false refusals, false answers, missed papers, missed facts."""
    wanted = [
        row("invalid 2", scores={"invalid_citations": 2.0}),
        row("invalid 1", scores={"invalid_citations": 1.0, "citation_recall": 0.0}),
        row("unsupported", scores={"citation_recall": 0.0}),
        row("less unsupported, paper missed", scores={"citation_recall": 0.5, "paper_recall": 0.0}),
        row("less unsupported", scores={"citation_recall": 0.5}),
        refused("refused"),
        false_answer("answered"),
        row("paper missed", scores={"paper_recall": 0.5}),
        row("fact missed", scores={"key_facts_shown": 0.5}),
    ]
    found = find_failures(report(row("right"), *reversed(wanted)))
    assert [failure.row["id"] for failure in found] == [one["id"] for one in wanted]
    assert found[3].faults == ("unsupported sentences", "gold papers missed")


def test_a_refusal_is_one_failure() -> None:
    """A false refusal is not blamed for the papers and facts that it cannot have, and says its reason."""
    one = refused("q1", reason="no paper speaks to it", missing_facts=["vector"])
    (found,) = find_failures(report(one))
    assert found.faults == ("refused, though papers answer it",)
    page = Page(to_html(report(one))).text
    assert "reason no paper speaks to it" in page
    assert "vector" not in page


def test_right_refusals_are_no_failures() -> None:
    """An unanswerable question that is refused is not among the failures."""
    right = row("q1", answerable=False, refused=True, scores={"abstention_recall": 1.0})
    assert find_failures(report(right)) == []
    assert "Failures to read first None." in Page(to_html(report(right))).text


def test_runs_and_conversations_have_failures_too() -> None:
    """Rows of retrieval alone fail by recall, and turns by their resolution, with how they were understood."""
    run = report(
        {"id": "q1", "scores": {"recall@5": 0.0, "recall@100": 0.5}},
        {"id": "q2", "scores": {"recall@100": 1.0}},
    )
    assert [(f.row["id"], f.faults) for f in find_failures(run)] == [("q1", ("gold papers missed",))]
    turn = {
        "id": "c1.2",
        "text": "and its speed?",
        "kind": "pronoun",
        "resolved": "the speed of soup",
        "within": ["p"],
    }
    page = Page(to_html(report({**turn, "scores": {"resolution": 0.0}}))).text
    assert "misread as a follow-up" in page
    assert "understood as the speed of soup, within p" in page


def test_a_long_list_of_failures_is_cut() -> None:
    """Only the worst are shown, with how many there are."""
    page = Page(to_html(report(*(refused(f"q{n}") for n in range(MAX_FAILURES + 5)))))
    assert page.tags.count("article") == MAX_FAILURES
    assert f"The first {MAX_FAILURES} of {MAX_FAILURES + 5}, worst first" in page.text


def test_differences_are_shown_where_there_are_some() -> None:
    """With a baseline each score has its interval, and without one there are no such columns."""
    interval = Interval(difference=-0.1, low=-0.2, high=-0.05, confidence=0.95, n=7)
    text = Page(to_html(report(row(), differences={"citation_recall": interval}))).text
    assert "-0.100 [-0.200, -0.050] 7" in text
    assert "interval" not in Page(to_html(report(row()))).text


def test_risk_and_coverage() -> None:
    """Questions are taken by falling confidence, equals together; without confidence there is no curve."""
    rows = [
        row("a", confidence=0.9),
        false_answer("b") | {"confidence": 0.2},
        row("c", confidence=0.5),
        false_answer("d") | {"confidence": 0.5},
        row("e"),
    ]
    assert [(p.coverage, p.risk) for p in confidence_curve(rows)] == [
        (0.25, 0),
        (0.75, pytest.approx(1 / 3)),
        (1, 0.5),
    ]
    assert "polyline" in Page(to_html(report(*rows))).tags
    assert "polyline" not in Page(to_html(report(row("e")))).tags


def test_the_drawings_are_sound() -> None:
    """Every drawing on the page is well-formed on its own."""
    html = to_html(report(row(confidence=0.5), row("q2", confidence=0.1)))
    drawings = [part.split("</svg>")[0] + "</svg>" for part in html.split("<svg")[1:]]
    assert len(drawings) == 3
    for drawing in drawings:
        ET.fromstring("<svg" + drawing)


def test_a_page_that_cannot_be_written_is_an_error(tmp_path) -> None:
    """A folder instead of the file is an error with the option that names another."""
    with pytest.raises(EvaluationError, match="--html"):
        write_html(report(), tmp_path)


def test_every_headline_has_a_meaning() -> None:
    """Each score of the tables is explained on the page."""
    assert [name for name in HEADLINES if name not in MEANINGS] == []
