"""Asking on the page: the stream, follow-ups, conversations, refusals, errors, stopping."""

import json

import pytest

pytestmark = pytest.mark.browser
TRUE = "Foragers tell others by a dance where flowers stand."
MOON = "The moon is made of green cheese."
DANCE = "The foragers tell the others by a dance where flowers stand."


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


def test_a_follow_up_stays_in_the_conversation(page, ask):
    """A second question means a paper of the first answer, and the page says how it was understood."""
    ask("which papers speak of a dance?", style="quote")
    turn = ask("and the second one?")
    assert turn.locator(".understood").text_content().startswith("Understood as: ")
    assert turn.locator(".papers li").count() == 1


def test_a_conversation_that_the_service_forgot_goes_on(page, ask):
    """If the service does not keep the conversation any more, the page sends the last answers itself."""

    def forget(route):
        asked = route.request.post_data_json
        gone = asked | ({"conversation": "gone"} if "conversation" in asked else {})
        route.continue_(post_data=json.dumps(gone))

    ask("which papers speak of a dance?", style="quote")
    page.route("**/api/ask", forget)
    assert ask("and the second one?").locator(".understood").is_visible()


def test_an_error_says_what_to_do(page, ask):
    """A filter that no paper passes is reported with what comes near, a dead service with how to start it."""
    page.keyboard.type("venue:Insectz ")
    assert "Insects" in ask("what is a dance?").locator(".notice").text_content()
    page.route("**/api/ask", lambda route: route.abort())
    assert "rag-qa serve" in ask("what is a dance?").locator(".notice").text_content()


def test_a_refusal_says_why(page, ask):
    """If the papers don't say, the page says so, with the reason."""
    turn = ask("which papers by Xaver Nobody discuss soup?")
    assert turn.locator(".refusal .verdict").text_content() == "The papers don’t say."
    assert "Nobody" in turn.locator(".refusal p").nth(1).text_content()
    assert not turn.locator(".sentence").count()


def test_stop_leaves_what_is_unchecked_dim(page, ask, generator):
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
    assert ask("what is eaten hot?", style="quote").locator(".sentence").count()


def test_papers_alone(page, ask):
    """One may search without an answer, and list papers like one of those found, and come back."""
    turn = ask("dance of bees", style="papers")
    assert turn.locator(".papers li").first.get_attribute("data-paper") == "bees"
    assert not turn.locator(".sentence").count()
    turn.locator("[data-paper=bees] button:has-text('Similar')").click()
    turn.locator(".found h3:has-text('Papers like')").wait_for()
    assert not turn.locator("[data-paper=bees]").count()
    turn.locator("button:has-text('Back')").click()
    assert turn.locator("[data-paper=bees]").count() == 1
    turn.locator("[data-paper=soup] button:has-text('only')").click()
    assert page.input_value("#question") == "In “On onion soup”: "


def test_conversations_of_the_session(page, ask):
    """A reload loses nothing, a new conversation begins empty, and the history opens the former one."""
    ask("which papers speak of a dance?", style="quote")
    page.reload()
    page.wait_for_selector(".tools")
    assert page.locator(".sentence").count() == 2
    page.click("#new")
    assert page.locator("#welcome").is_visible()
    assert not page.locator(".turn").count()
    page.click("#history summary")
    page.click("#conversations button")
    assert page.locator(".turn h2").text_content() == "which papers speak of a dance?"


def test_another_index(page, ask):
    """If there are several indexes one is chosen, and its papers are counted."""
    page.select_option("#index", "kitchen")
    assert page.locator("#about").text_content().startswith("1 paper · ")
    turn = ask("which papers speak of a dance?", style="papers")
    assert turn.locator(".papers li").evaluate_all("all => all.map((one) => one.dataset.paper)") == ["soup"]
