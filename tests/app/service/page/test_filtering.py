"""Filters on the page: typed, picked, removed."""

import pytest

pytestmark = pytest.mark.browser


def test_filters_are_chips(page, ask):
    """A typed filter becomes a chip, restricts the papers, and goes with a key."""
    page.keyboard.type('venue:Kitchens author:"Ada Meyer" what is eaten hot?')
    assert page.locator(".chip").all_text_contents() == ["venue: Kitchens", "author: Ada Meyer"]
    turn = ask(page.input_value("#question"), style="quote")
    assert (
        turn.locator("header").text_content().endswith("Only papers with venue: Kitchens, author: Ada Meyer")
    )
    assert turn.locator(".papers li").evaluate_all("all => all.map((one) => one.dataset.paper)") == ["soup"]
    page.keyboard.press("Backspace")
    page.locator(".chip").focus()
    page.keyboard.press("Delete")
    assert not page.locator("#chips").is_visible()
    assert page.evaluate("document.activeElement.id") == "question"


def test_a_filter_is_picked(page, ask):
    """A filter is added by the form, which suggests what was seen, or from the evidence."""
    turn = ask("which papers speak of a dance?", style="quote")
    page.click("#add-filter")
    page.select_option("#filter-name", "venue")
    suggested = page.locator("#filter-values option").evaluate_all("all => all.map((one) => one.value)")
    assert suggested == ["Hymenoptera", "Insects"]
    page.fill("#filter-value", "Insects")
    page.press("#filter-value", "Enter")
    turn.locator(".papers [data-paper=wasps] button").first.click()
    page.click(".evidence button:has-text('from 2021')")
    assert page.locator(".chip").all_text_contents() == ["venue: Insects", "year: 2021"]
