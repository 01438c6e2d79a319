"""The page in a real browser, against a real service whose language model is a fake."""

import shutil
from pathlib import Path
from threading import Event

import pytest

from rag_qa.backends.locating import WRITER
from rag_qa.testing import QueuedGenerator

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# axe-core 4.14.1 as its makers publish it (MPL-2.0, see its head; sources: github.com/dequelabs/axe-core).
AXE = Path(__file__).with_name("axe.min.js")
DANCE = "The foragers tell the others by a dance where flowers stand."
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


@pytest.fixture
def ask(page):
    """A function that asks by keyboard, waits for the end, and returns the turn."""

    def ask_one(question, *, style=None):
        if style:
            page.select_option("#style", style)
        page.fill("#question", question)
        page.press("#question", "Enter")
        turn = page.locator(".turn").last
        page.locator("#ask").wait_for()
        return turn

    return ask_one


@pytest.fixture
def violations(page):
    """A function that returns what axe finds wrong with the page as it is now."""

    def find():
        if not page.evaluate("'axe' in window"):
            page.evaluate(AXE.read_text("utf-8"))
        found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
        return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]

    return find
