"""Answers as Markdown and HTML: their layout, and that texts are shown and never run as markup."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_qa.exports import export_answer
from rag_qa.exports.html import answer_html, hits_html, paper_html
from rag_qa.exports.markdown import escape
from rag_qa.types import Answer, Hit, Passage

HOSTILE = "<script>alert(1)</script> <img src=x onerror=alert(1)> \"' [x](javascript:alert(1)) {{ 7*7 }} \x1b[31m\u202e"
VOID = {"meta", "br"}


class Tags(HTMLParser):
    """The tags of a page with their attributes, and whether each was closed in its turn."""

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.text = [], [], ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_markdown_has_the_answer_with_its_papers(make_paper, make_answer):
    """The question, the sentence with its mark, the paper under its number, and the quote behind the prose."""
    paper = make_paper(
        authors=("Wilma Weaver",), venue="Loaf", year=2020, doi="10.5555/a", status="retracted"
    )
    assert export_answer(make_answer(paper, label="partial"), "md") == (
        "# Does light matter?\n\n"
        "Light does not matter. [1] *(partial by its source)*\n\n"
        "## Papers\n\n"
        "1. **On bread**. Wilma Weaver, Loaf, 2020. <https://doi.org/10.5555/a> **Retracted.**\n\n"
        "   > “We let forty loaves rise in the dark”\n\n"
    )


@pytest.mark.parametrize("format", ["md", "html", "bib", "ris", "csl"])
def test_a_synopsis_is_never_passed_off_as_the_abstract(make_paper, make_answer, format):
    """If the text is not the authors' own, every format says so."""
    answer = make_answer(make_paper(kind="synopsis", status="retracted"))
    text = export_answer(answer, format)
    assert "The abstract is a synopsis by others" in text
    assert "Retracted" in text


def test_a_refusal_has_its_reason(make_paper, make_answer):
    """An abstention says why, and lists the nearest papers as such, in both formats."""
    answer = make_answer(nearest=(make_paper(),))
    markdown, html = export_answer(answer, "md"), export_answer(answer, "html")
    assert "**The papers don't say: no paper found is about it.**" in markdown
    assert "## Nearest papers, which do not answer it" in markdown
    assert "The papers don&#39;t say: no paper found is about it." in html
    assert "Nearest papers, which do not answer it" in html
    assert export_answer(answer, "bib") == ""


def test_markdown_is_escaped(make_paper, make_answer):
    """Titles, quotes and sentences cannot open a list, a link, a tag, a formula or a heading."""
    answer = make_answer(make_paper(title="*A* [b](c) <b> $x$"), text="1. # no `list` ![x](y)\n# either")
    text = export_answer(answer, "md")
    assert "1\\. # no \\`list\\` \\!\\[x\\](y) \\# either [1]".replace("# no", "\\# no") in text
    assert "**\\*A\\* \\[b\\](c) \\<b\\> \\$x\\$**" in text


@given(st.text())
def test_escaped_markdown_is_one_inert_line(text):
    """Any text stays on one line, with every mark escaped and no control character."""
    line = escape(text)
    assert line.splitlines() in ([line], [])
    assert not re.search(r"(?<!\\)(?:\\\\)*[*_`<\[\]$|]", line)
    assert line.isprintable() or not any(c < " " or "\x7f" <= c <= "\x9f" for c in line)


def test_a_page_needs_no_other_file(make_paper, make_answer):
    """The page has no script and loads nothing; its policy forbids both."""
    page = export_answer(make_answer(make_paper()), "html")
    tags = Tags(page)
    assert page.startswith("<!DOCTYPE html>")
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in tags.seen}
    policy = next(attrs["content"] for tag, attrs in tags.seen if "http-equiv" in attrs)
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


def test_a_mark_unfolds_its_quotes(make_paper, make_answer):
    """Each mark is the summary of a <details> that holds the quotes from that paper alone."""
    one, two = (
        make_paper(id="a"),
        make_paper(id="b", abstract="Dough rests. It does.", url="https://example.org/"),
    )
    html = answer_html(make_answer(one, two))
    found = re.findall(
        r"<details class=\"rq-mark\"><summary[^>]*>(\[\d\])</summary>(.*?)</details>", html, re.S
    )
    assert [mark for mark, _ in found] == ["[1]", "[2]"]
    assert "forty loaves" in found[0][1]
    assert "Dough rests" in found[1][1]
    assert 'href="https://example.org/"' in found[1][1]
    assert "forty loaves" not in found[1][1]


@pytest.mark.parametrize("show", ["answer", "page", "paper", "hits"])
def test_html_shows_texts_and_obeys_none(make_paper, make_answer, show):
    """Markup, templates and controls in any text are text; a link leads nowhere but to the web."""
    paper = make_paper(
        id=HOSTILE,
        title=HOSTILE,
        abstract=HOSTILE,
        authors=(HOSTILE,),
        venue=HOSTILE,
        url="javascript:alert(1)",
    )
    answer = make_answer(paper, text=HOSTILE, question=HOSTILE)
    passage = Passage(id="x", paper_id=HOSTILE, text=HOSTILE, start=0, end=len(HOSTILE))
    hit = Hit(paper=paper, passage=passage, score=0.5, rank=1, components={})
    html = {
        "answer": lambda: answer_html(answer),
        "page": lambda: export_answer(answer, "html"),
        "paper": lambda: paper_html(paper),
        "hits": lambda: hits_html([hit]),
    }[show]()
    tags = Tags(html)
    assert tags.open == []
    assert not {"script", "img"} & {tag for tag, _ in tags.seen}
    assert not [
        attrs["href"] for _, attrs in tags.seen if not attrs.get("href", "https://").startswith("https://")
    ]
    assert not any(name.startswith("on") for _, attrs in tags.seen for name in attrs)
    assert "<script>alert(1)</script>" in tags.text
    assert "{{ 7*7 }}" in tags.text
    assert "\x1b" not in html
    assert "\u202e" not in html


def test_json_is_the_public_form(make_paper, make_answer):
    """An answer written as JSON is read back as the same answer."""
    answer = make_answer(make_paper(title="Ünïcode"))
    assert Answer.model_validate_json(export_answer(answer, "json")) == answer
