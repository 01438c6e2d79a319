"""The page for everyone: by keyboard, on a telephone, in the dark, on paper, with a screen reader."""

import pytest

pytestmark = pytest.mark.browser


def test_the_keyboard_is_enough(page, ask):
    """Tab reaches a mark, Enter goes to its evidence, Escape comes back; Shift+Enter begins a line."""
    page.keyboard.type("which papers")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("speak of a dance?")
    assert page.input_value("#question") == "which papers\nspeak of a dance?"
    ask(page.input_value("#question"), style="quote")
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


def test_nothing_is_wider_than_a_telephone(page, ask):
    """At 360 pixels nothing overflows, before a question, after one, with evidence and with reasons."""
    page.set_viewport_size({"width": 360, "height": 700})
    wide = "document.documentElement.scrollWidth > innerWidth"
    page.click("#add-filter")
    assert not page.evaluate(wide)
    turn = ask("which papers speak of a dance?", style="quote")
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


def test_print_shows_sources_and_no_controls(page, ask):
    """On paper the cited papers stand under the answer, and nothing to click does."""
    ask("which papers speak of a dance?", style="quote")
    page.emulate_media(media="print")
    assert page.locator(".sources li").first.is_visible()
    for hidden in (".dock", ".top", ".tools", ".margin"):
        assert not page.locator(hidden).first.is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing(page, ask, violations, scheme, width):
    """axe finds nothing wrong before a question, after an answer with all unfolded, a refusal and an error."""
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 800})
    page.keyboard.type("without:preprint ")
    page.click("#add-filter")
    assert violations() == []
    turn = ask("which papers speak of a dance?", style="quote")
    turn.locator("button:has-text('Why')").click()
    turn.locator("summary").click()
    page.locator(".mark").first.evaluate("mark => mark.click()")
    assert violations() == []
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    ask("which papers by Xaver Nobody discuss soup?")
    page.route("**/api/ask", lambda route: route.abort())
    ask("what is a dance?")
    assert violations() == []
