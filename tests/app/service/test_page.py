"""The page in a real browser, against a real service whose language model is a fake."""

import json
import re
import shutil
from pathlib import Path
from threading import Event

import pytest

from rag_qa.backends.locating import WRITER
from rag_qa.testing import QueuedGenerator

pytestmark = pytest.mark.browser

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# axe-core 4.14.1 as its makers publish it (MPL-2.0, see its head; sources: github.com/dequelabs/axe-core).
AXE = Path(__file__).with_name("axe.min.js")
DANCE = "The foragers tell the others by a dance where flowers stand."
TRUE = "Foragers tell others by a dance where flowers stand."
MOON = "The moon is made of green cheese."
PAPERS = [
    {
        "id": "bees",
        "title": "BeeDance: how bees tell where flowers stand",
        "abstract": f"Bees forage far from the hive. {DANCE} It is read against the angle of the sun.",
        "authors": ["Ada Meyer", "Ben Okoro"],
        "venue": "Insects",
        "year": 2019,
        "doi": "10.1000/bees",
    },
    {
        "id": "wasps",
        "title": "Retracted: Wasps have no dance",
        "abstract": "Wasps were watched for a dance. No dance of wasps was seen where flowers stand.",
        "authors": ["Cleo Braun"],
        "venue": "Hymenoptera",
        "year": 2021,
        "status": "retracted",
    },
    {
        "id": "soup",
        "title": "On onion soup",
        "abstract": "Onions are fried in butter before the stock goes in. The soup is eaten hot.",
        "authors": ["Ada Meyer"],
        "venue": "Kitchens",
        "year": 2023,
    },
]
HOSTILE = '<img src=x onerror="window.hacked = 1"><script>window.hacked = 1</script>'


class Gated(QueuedGenerator):
    """A generator that, once `hold` is called, waits after its second word until `release`."""

    def __init__(self):
        super().__init__()
        self._gate = Event()
        self._gate.set()

    def generate(self, prompt, **limits):
        for number, piece in enumerate(super().generate(prompt, **limits)):
            if number == 2:
                assert self._gate.wait(60)
            yield piece

    def hold(self):
        self._gate.clear()

    def release(self):
        self._gate.set()


@pytest.fixture(scope="module")
def generator():
    """The language model of the service."""
    return Gated()


@pytest.fixture(scope="module")
def address(tmp_path_factory, generator, build_papers, serving):
    """The address of a service over two indexes."""
    folder = tmp_path_factory.mktemp("page")
    indexes = [build_papers(folder / "insects", PAPERS), build_papers(folder / "kitchen", PAPERS[-1:])]
    fields = {"model": WRITER, "listed_papers": 2, "evidence_sentences": 1}
    with serving(*indexes, generator=generator, **fields) as client:
        yield str(client.base_url)
        generator.release()


@pytest.fixture(scope="module")
def browser():
    """A browser of this machine, or a skip that says what is missing."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip(f"no browser is installed: none of {', '.join(BROWSERS)}")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def context(browser):
    """A fresh browser profile, in which the clipboard may be used."""
    opened = browser.new_context(
        viewport={"width": 1280, "height": 800}, permissions=["clipboard-read", "clipboard-write"]
    )
    opened.set_default_timeout(60_000)
    yield opened
    opened.close()


@pytest.fixture
def page(context, address, generator):
    """The page, ready for a question; at the end nothing has failed in it or broken its policy."""
    generator.replies.clear()
    generator.release()
    opened = context.new_page()
    failures = []
    opened.on("pageerror", lambda error: failures.append(str(error)))
    opened.on("console", lambda message: failures.append(message.text) if "Policy" in message.text else None)
    opened.add_init_script(
        "window.violations = [];"
        "addEventListener('securitypolicyviolation', (event) => violations.push(event.violatedDirective));"
    )
    opened.goto(address)
    opened.locator("#about:not(:empty)").wait_for()
    yield opened
    assert failures + opened.evaluate("violations") == []


def ask(page, question, *, style=None):
    """Ask by keyboard, wait for the end, and return the turn."""
    if style:
        page.select_option("#style", style)
    page.fill("#question", question)
    page.press("#question", "Enter")
    turn = page.locator(".turn").last
    page.locator("#ask").wait_for()
    return turn


def events(*named):
    """A response of server-sent events."""
    body = "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in named)
    return {"status": 200, "content_type": "text/event-stream", "body": body}


def violations(page):
    """What axe finds wrong with the page as it is now."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]


def test_an_answer_streams_and_its_mark_shows_the_sentence(page, generator):
    """Words are dim until checked; then the sentence stands with a mark that shows its quote in the abstract."""
    generator.replies.append(f"{TRUE} {MOON}")
    generator.hold()
    page.keyboard.type("How do the foragers of bees tell where flowers stand?")
    page.keyboard.press("Enter")
    page.wait_for_selector(".draft:visible")
    assert page.locator(".draft").text_content() == "Foragers tell"
    assert page.locator(".papers li").first.is_visible()
    assert not page.locator(".sentence").count()
    generator.replies.append(MOON)
    generator.release()
    page.wait_for_selector(".tools")
    assert page.locator(".sentence.prose > span").all_text_contents() == [TRUE]
    assert not page.locator(".draft").is_visible()
    page.locator(".mark").first.hover()
    evidence = page.locator(".evidence")
    assert evidence.locator("mark").all_text_contents() == [DANCE]
    assert evidence.locator("h3").text_content() == "[1] BeeDance: how bees tell where flowers stand"
    assert evidence.locator(".byline bdi").text_content() == "Ada Meyer, Ben Okoro · Insects 2019"
    assert evidence.locator("a").get_attribute("href") == "https://doi.org/10.1000/bees"


def test_a_follow_up_stays_in_the_conversation(page):
    """A second question means a paper of the first answer, and the page says how it was understood."""
    ask(page, "which papers speak of a dance?", style="quote")
    turn = ask(page, "and the second one?")
    assert turn.locator(".understood").text_content().startswith("Understood as: ")
    assert turn.locator(".papers li").count() == 1


def test_what_the_index_knows_marks_no_sentence(page):
    """A sentence from the index's metadata shows its paper, and no sentence of the abstract as if it said so."""
    turn = ask(page, "who wrote BeeDance: how bees tell where flowers stand?", style="quote")
    assert "Ada Meyer" in turn.locator(".sentence.metadata").text_content()
    turn.locator(".mark").hover()
    assert page.locator(".evidence .abstract").text_content() == PAPERS[0]["abstract"]
    assert page.locator(".evidence mark").count() == 0


def test_a_conversation_that_the_service_forgot_goes_on(page):
    """Where the service does not keep the conversation any more, the page sends the last answers itself."""

    def forget(route):
        asked = route.request.post_data_json
        gone = asked | ({"conversation": "gone"} if "conversation" in asked else {})
        route.continue_(post_data=json.dumps(gone))

    ask(page, "which papers speak of a dance?", style="quote")
    page.route("**/api/ask", forget)
    assert ask(page, "and the second one?").locator(".understood").is_visible()


def test_a_retracted_paper_is_marked_wherever_it_is_shown(page):
    """A retracted paper has a badge in the list and in the evidence, and the answer that cites it warns."""
    turn = ask(page, "which papers speak of a dance?", style="quote")
    row = turn.locator(".papers [data-paper=wasps]")
    assert row.locator(".badge").text_content() == "Retracted"
    assert "has been retracted: do not rely on it" in turn.locator(".notice.grave").text_content()
    row.locator("button").first.click()
    assert page.locator(".evidence .badge").text_content() == "Retracted"


def test_filters_are_chips(page):
    """A typed filter becomes a chip, restricts the papers, and goes with a key."""
    page.keyboard.type('venue:Kitchens author:"Ada Meyer" what is eaten hot?')
    assert page.locator(".chip").all_text_contents() == ["venue: Kitchens", "author: Ada Meyer"]
    turn = ask(page, page.input_value("#question"), style="quote")
    assert (
        turn.locator("header").text_content().endswith("Only papers with venue: Kitchens, author: Ada Meyer")
    )
    assert turn.locator(".papers li").evaluate_all("all => all.map((one) => one.dataset.paper)") == ["soup"]
    page.keyboard.press("Backspace")
    page.locator(".chip").focus()
    page.keyboard.press("Delete")
    assert not page.locator("#chips").is_visible()
    assert page.evaluate("document.activeElement.id") == "question"


def test_a_filter_is_picked(page):
    """A filter is added by the form, which suggests what was seen, or from the evidence."""
    turn = ask(page, "which papers speak of a dance?", style="quote")
    page.click("#add-filter")
    page.select_option("#filter-name", "venue")
    suggested = page.locator("#filter-values option").evaluate_all("all => all.map((one) => one.value)")
    assert suggested == ["Hymenoptera", "Insects"]
    page.fill("#filter-value", "Insects")
    page.press("#filter-value", "Enter")
    turn.locator(".papers [data-paper=wasps] button").first.click()
    page.click(".evidence button:has-text('from 2021')")
    assert page.locator(".chip").all_text_contents() == ["venue: Insects", "year: 2021"]


def test_an_error_says_what_to_do(page):
    """A filter that no paper passes is told with what comes near, a dead service with how to start it."""
    page.keyboard.type("venue:Insectz ")
    assert "Insects" in ask(page, "what is a dance?").locator(".notice").text_content()
    page.route("**/api/ask", lambda route: route.abort())
    assert "rag-qa serve" in ask(page, "what is a dance?").locator(".notice").text_content()


def test_a_refusal_says_why(page):
    """Where the papers don't say, the page says so, with the reason."""
    turn = ask(page, "which papers by Xaver Nobody discuss soup?")
    assert turn.locator(".refusal .verdict").text_content() == "The papers don’t say."
    assert "Nobody" in turn.locator(".refusal p").nth(1).text_content()
    assert not turn.locator(".sentence").count()


def test_stop_leaves_what_is_unchecked_dim(page, generator):
    """Escape stops an answer; what was written stays dim and is said to be unchecked, and one may ask on."""
    generator.replies.append(TRUE)
    generator.hold()
    page.fill("#question", "How do the foragers of bees tell where flowers stand?")
    page.keyboard.press("Enter")
    page.wait_for_selector(".draft:visible")
    page.keyboard.press("Escape")
    page.wait_for_selector(".end:has-text('not checked')")
    generator.release()
    assert page.locator(".draft").text_content() == "Foragers tell"
    assert ask(page, "what is eaten hot?", style="quote").locator(".sentence").count()


def test_export_and_copy(page):
    """The papers cited are saved as BibTeX, and the answer is copied as Markdown."""
    turn = ask(page, "which papers speak of a dance?", style="quote")
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


def test_why(page, generator):
    """Why shows verdicts, times and what the model wrote at first, and checks the answer again."""
    generator.replies.extend([f"{TRUE} {MOON}", MOON])
    turn = ask(page, "How do the foragers of bees tell where flowers stand?", style="auto")
    turn.locator("button:has-text('Why')").click()
    why = turn.locator(".why").text_content()
    assert f"{TRUE} {MOON}" in why
    assert "supported, " in why
    assert "the model writes" in why
    turn.locator("button:has-text('again')").click()
    turn.locator(".why li:has-text('ok: quote 1.1: characters 31 to')").wait_for()


def test_papers_alone(page):
    """One may search without an answer, and list papers like one of those found, and come back."""
    turn = ask(page, "dance of bees", style="papers")
    assert turn.locator(".papers li").first.get_attribute("data-paper") == "bees"
    assert not turn.locator(".sentence").count()
    turn.locator("[data-paper=bees] button:has-text('Similar')").click()
    turn.locator(".found h3:has-text('Papers like')").wait_for()
    assert not turn.locator("[data-paper=bees]").count()
    turn.locator("button:has-text('Back')").click()
    assert turn.locator("[data-paper=bees]").count() == 1
    turn.locator("[data-paper=soup] button:has-text('only')").click()
    assert page.input_value("#question") == "In “On onion soup”: "


def test_conversations_of_the_session(page):
    """A reload loses nothing, a new conversation begins empty, and the history opens the former one."""
    ask(page, "which papers speak of a dance?", style="quote")
    page.reload()
    page.wait_for_selector(".tools")
    assert page.locator(".sentence").count() == 2
    page.click("#new")
    assert page.locator("#welcome").is_visible()
    assert not page.locator(".turn").count()
    page.click("#history summary")
    page.click("#conversations button")
    assert page.locator(".turn h2").text_content() == "which papers speak of a dance?"


def test_another_index(page):
    """Where there are several indexes one is chosen, and its papers are counted."""
    page.select_option("#index", "kitchen")
    assert page.locator("#about").text_content().startswith("1 paper · ")
    turn = ask(page, "which papers speak of a dance?", style="papers")
    assert turn.locator(".papers li").evaluate_all("all => all.map((one) => one.dataset.paper)") == ["soup"]


def test_the_keyboard_is_enough(page):
    """Tab reaches a mark, Enter goes to its evidence, Escape comes back; Shift+Enter begins a line."""
    page.keyboard.type("which papers")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("speak of a dance?")
    assert page.input_value("#question") == "which papers\nspeak of a dance?"
    ask(page, page.input_value("#question"), style="quote")
    page.evaluate("document.activeElement.blur()")
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.className") == "mark":
            break
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.className") == "evidence"
    assert page.locator(".mark").first.get_attribute("aria-expanded") == "true"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.className") == "mark"
    assert not page.locator(".evidence").is_visible()


def test_hostile_texts_stay_texts(page):
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
    turn = ask(page, HOSTILE)
    turn.locator("button:has-text('Why')").click()
    page.locator(".mark").click()
    assert page.locator(".evidence mark").text_content() == HOSTILE
    assert page.locator(".evidence .abstract").text_content() == f"𝔸😀 {HOSTILE} Evil. The end."
    assert page.locator(".badge.doubt").text_content() == "partial by its source"
    assert page.locator("a[href^=javascript], main img, main script").count() == 0
    assert page.evaluate("window.hacked") is None


def test_nothing_is_wider_than_a_telephone(page):
    """At 360 pixels nothing overflows, before a question, after one, with evidence and with reasons."""
    page.set_viewport_size({"width": 360, "height": 700})
    wide = "document.documentElement.scrollWidth > innerWidth"
    page.click("#add-filter")
    assert not page.evaluate(wide)
    turn = ask(page, "which papers speak of a dance?", style="quote")
    turn.locator("button:has-text('Why')").click()
    page.locator(".mark").first.click()
    assert page.locator(".evidence mark").is_visible()
    assert not page.evaluate(wide)
    page.locator(".evidence .close").click()
    turn.locator("summary").click()
    assert not page.evaluate(wide)


def test_dark(page):
    """The page is dark if the system is, and the switch overrides it, after a reload too."""
    lightness = "Math.max(...getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number))"
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(lightness) < 64
    page.click("#theme")
    assert page.evaluate(lightness) > 192
    page.reload()
    assert page.evaluate(lightness) > 192
    assert page.locator("#theme").text_content() == "Theme: light"


def test_print_shows_sources_and_no_controls(page):
    """On paper the cited papers stand under the answer, and nothing to click does."""
    ask(page, "which papers speak of a dance?", style="quote")
    page.emulate_media(media="print")
    assert page.locator(".sources li").first.is_visible()
    for hidden in (".dock", ".top", ".tools", ".margin"):
        assert not page.locator(hidden).first.is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing(page, scheme, width):
    """axe finds nothing wrong before a question, after an answer with all unfolded, a refusal and an error."""
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 800})
    page.keyboard.type("without:preprint ")
    page.click("#add-filter")
    assert violations(page) == []
    turn = ask(page, "which papers speak of a dance?", style="quote")
    turn.locator("button:has-text('Why')").click()
    turn.locator("summary").click()
    page.locator(".mark").first.evaluate("mark => mark.click()")
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    ask(page, "which papers by Xaver Nobody discuss soup?")
    page.route("**/api/ask", lambda route: route.abort())
    ask(page, "what is a dance?")
    assert violations(page) == []
