"""What stands behind an answer on the page, and taking it out again."""

import json
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser
TRUE = "Foragers tell others by a dance where flowers stand."
MOON = "The moon is made of green cheese."
DANCE = "The foragers tell the others by a dance where flowers stand."
HOSTILE = '<img src=x onerror="window.hacked = 1"><script>window.hacked = 1</script>'


def test_what_the_index_knows_marks_no_sentence(page, ask):
    """A sentence from the index's metadata shows its paper, and no sentence of the abstract as if it said so."""
    turn = ask("who wrote BeeDance: how bees tell where flowers stand?", style="quote")
    assert "Ada Meyer" in turn.locator(".sentence.metadata").text_content()
    turn.locator(".mark").hover()
    assert (
        page.locator(".evidence .abstract").text_content()
        == f"Bees forage far from the hive. {DANCE} It is read against the angle of the sun."
    )
    assert page.locator(".evidence mark").count() == 0


def test_a_retracted_paper_is_marked_wherever_it_is_shown(page, ask):
    """A retracted paper has a badge in the list and in the evidence, and the answer that cites it warns."""
    turn = ask("which papers speak of a dance?", style="quote")
    row = turn.locator(".papers [data-paper=wasps]")
    assert row.locator(".badge").text_content() == "Retracted"
    assert "has been retracted: do not rely on it" in turn.locator(".notice.grave").text_content()
    row.locator("button").first.click()
    assert page.locator(".evidence .badge").text_content() == "Retracted"


def test_why(page, ask, generator):
    """Why shows verdicts, times and what the model wrote at first, and checks the answer again."""
    generator.replies.extend([f"{TRUE} {MOON}", MOON])
    turn = ask("How do the foragers of bees tell where flowers stand?", style="auto")
    turn.locator("button:has-text('Why')").click()
    why = turn.locator(".why").text_content()
    assert f"{TRUE} {MOON}" in why
    assert "supported, " in why
    assert "the model writes" in why
    turn.locator("button:has-text('again')").click()
    turn.locator(".why li:has-text('ok: quote 1.1: characters 31 to')").wait_for()


def test_export_and_copy(page, ask):
    """The papers cited are saved as BibTeX, and the answer is copied as Markdown."""
    turn = ask("which papers speak of a dance?", style="quote")
    turn.locator("summary").click()
    with page.expect_download() as saved:
        turn.locator("button:has-text('BibTeX')").click()
    text = Path(saved.value.path()).read_text("utf-8")
    assert saved.value.suggested_filename == "which-papers-speak-of-a-dance.bib"
    assert len(re.findall("^@", text, re.M)) == 2
    assert "BeeDance" in text
    turn.locator("button:has-text('Copy')").click()
    turn.locator("button:has-text('Copied')").wait_for()
    assert DANCE in page.evaluate("navigator.clipboard.readText()")


def events(*named):
    """A response of server-sent events."""
    body = "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in named)
    return {"status": 200, "content_type": "text/event-stream", "body": body}


def test_hostile_texts_stay_texts(page, ask):
    """Markup in titles, quotes and pieces is shown as text, a script's address is no link, offsets count characters."""
    abstract = f"𝔸😀 {HOSTILE} \u202eEvil\u202c. The end."
    start = abstract.index(HOSTILE)
    citation = {"paper_id": "evil", "quote": HOSTILE, "start": start, "end": start + len(HOSTILE)}
    paper = {
        "id": "evil",
        "title": HOSTILE,
        "abstract": abstract,
        "authors": [HOSTILE],
        "venue": HOSTILE,
        "url": "javascript:window.hacked=1",
    }
    sentence = {
        "text": HOSTILE,
        "kind": "prose",
        "citations": [citation],
        "verdict": {"label": "partial", "probability": 0.5, "reasons": [HOSTILE]},
    }
    answer = {
        "question": HOSTILE,
        "abstained": False,
        "reason": None,
        "sentences": [sentence],
        "papers": [paper],
        "nearest": [],
        "provenance": {"clues": {HOSTILE: 0.5}},
        "timings": {HOSTILE: 1.0},
        "query": {"text": HOSTILE, "topic": HOSTILE, "understood_as": HOSTILE},
        "confidence": 0.5,
    }
    named = events(
        (
            "hits",
            {
                "hits": [{"paper": paper, "passage": {"text": "x", "start": 0, "end": 1}}],
                "query": answer["query"],
            },
        ),
        ("piece", {"piece": HOSTILE}),
        ("sentence", {"sentence": sentence}),
        ("answer", {"answer": answer, "conversation": "c"}),
    )
    page.route("**/api/ask", lambda route: route.fulfill(**named))
    turn = ask(HOSTILE)
    turn.locator("button:has-text('Why')").click()
    page.locator(".mark").click()
    assert page.locator(".evidence mark").text_content() == HOSTILE
    assert page.locator(".evidence .abstract").text_content() == f"𝔸😀 {HOSTILE} Evil. The end."
    assert page.locator(".badge.doubt").text_content() == "partial by its source"
    assert page.locator("a[href^=javascript], main img, main script").count() == 0
    assert page.evaluate("window.hacked") is None
