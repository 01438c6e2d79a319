import hashlib
import re
from string import Template

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_qa.answering.writing.prompt import (
    PLACEHOLDERS,
    PromptFile,
    defuse,
    fit_evidence,
    layout,
    load_prompt,
)
from rag_qa.errors import PromptError
from rag_qa.types import Evidence

PROMPTS = PromptFile(
    texts={
        "system": "Be brief.",
        "context": "Read this:\n$evidence\n\n",
        "write": "Answer $question",
        "again": "Answer $question",
    },
    sha256="0",
)
GOOD = """
system = "Be brief."
context = "$evidence"
decide = "$question"
match = "$question"
affirm = "$question $first $second $third"
claim = "$claim"
write = "$question"
again = "$question $draft $reasons"
"""


def evidence(sentence="A sentence.", paper_id="p", start=0):
    """A piece of evidence."""
    return Evidence(paper_id=paper_id, sentence=sentence, start=start, end=start + len(sentence), score=1.0)


class CountsWords:
    """A generator that counts words as tokens."""

    def count_tokens(self, prompt):
        return len(f"{prompt.system} {prompt.context} {prompt.user}".split())


def prompt_file(folder, text):
    """Write a prompt file into a folder."""
    (folder / "answer.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


@pytest.mark.parametrize("name", [name for name, texts in PLACEHOLDERS.items() if "context" in texts])
def test_the_prompts_that_ship_load(name):
    """Every text of a prompt file that ships is filled without a placeholder left, and begins with the evidence."""
    prompts = load_prompt(name)
    read = layout([evidence("Because.")], {"p": "On reasons"})
    values = {"question": "Why?", "draft": "It is so.", "reasons": "it is not"}
    values |= {"first": "Aye", "second": "Nay", "third": "Perhaps", "claim": "Soup is hot."}
    for text in prompts.texts.keys() - {"system", "context"}:
        wanted = {key: values[key] for key in PLACEHOLDERS[name][text]}
        prompt = prompts.fill(text, read, **wanted)
        assert "From “On reasons”:\n- Because.\n" in prompt.context
        assert all(value in prompt.user for value in wanted.values())
        assert "$" not in prompt.system + prompt.context + prompt.user


def test_the_prompt_that_rewrites_a_question_loads():
    """The prompt of a follow-up has no evidence: the questions before, the titles shown and the question fill it."""
    text = Template(load_prompt("rewrite").texts["rewrite"])
    filled = text.substitute(earlier="How?", titles="On reasons", question="Why?")
    assert all(value in filled for value in ("How?", "On reasons", "Why?"))
    assert "$" not in filled


def test_texts_of_one_file_begin_alike():
    """Decision and answer share system and context, letter for letter, so that the model reads them once."""
    prompts = load_prompt("answer")
    decide, write = (prompts.fill(name, "- E.", question="Q?") for name in ("decide", "write"))
    affirm = prompts.fill("affirm", "- E.", question="Q?", first="Yes", second="No", third="Maybe")
    assert (decide.system, decide.context) == (write.system, write.context) == (affirm.system, affirm.context)
    assert len({decide.user, affirm.user, write.user}) == 3


def test_a_folder_overrides_what_ships(tmp_path):
    """A prompt file of the user's own is used instead, and its hash is that of its bytes."""
    prompts = load_prompt("answer", prompt_file(tmp_path, GOOD))
    assert prompts.texts["system"] == "Be brief."
    assert prompts.sha256 == hashlib.sha256(GOOD.encode()).hexdigest()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('system = "a', "not valid TOML"),
        (b'system = "\xff\xfe"', "not valid TOML"),
        ("", "must hold the texts system, context, decide, match, affirm, claim, write, again; found"),
        ('system = "$evidence $question"', "must hold the texts"),
        (GOOD + 'extra = "x"', "must hold the texts"),
        (GOOD.replace('"Be brief."', "1"), "must hold the texts"),
        (GOOD.replace('"$evidence"', '"nothing"'), r"`context` .* must use exactly \$evidence; found"),
        (GOOD.replace("brief", "$brief"), "`system` .* must use exactly no placeholder"),
        (GOOD.replace("$question", "$questions"), r"`decide` .* must use exactly \$question; found"),
        (GOOD.replace("brief", "5 $ cheap"), r"write `\$\$`"),
        (GOOD.replace("brief", "$é"), r"write `\$\$`"),
    ],
)
def test_a_wrong_prompt_file_is_an_error(tmp_path, text, message):
    """A prompt file that cannot be filled is refused when loaded, and the message says what to change."""
    with pytest.raises(PromptError, match=message):
        load_prompt("answer", prompt_file(tmp_path, text))


def test_a_folder_without_the_file_takes_what_ships(tmp_path):
    """A folder replaces the files that it holds; of others those that ship are used."""
    assert load_prompt("answer", tmp_path) == load_prompt("answer")


def test_a_missing_folder_is_an_error(tmp_path):
    """A missing folder, and a folder in place of the file, are errors that name the path."""
    with pytest.raises(PromptError, match=re.escape(str(tmp_path / "gone"))):
        load_prompt("answer", tmp_path / "gone")
    (tmp_path / "answer.toml").mkdir()
    with pytest.raises(PromptError, match=re.escape(str(tmp_path / "answer.toml"))):
        load_prompt("answer", tmp_path)


def test_a_doubled_dollar_is_one(tmp_path):
    """`$$` in a user's message is a dollar sign for the model."""
    prompts = load_prompt("answer", prompt_file(tmp_path, GOOD.replace("$question", "$question at $$5")))
    assert prompts.fill("write", "", question="Why?").user == "Why? at $5"


def test_dollars_in_papers_stay_dollars():
    """LaTeX and placeholders in titles, abstracts and questions are data, never substituted."""
    hostile = "with $k$ of $question and ${evidence} at $5"
    prompt = PROMPTS.fill(
        "write", layout([evidence(f"S {hostile}")], {"p": f"T {hostile}"}), question=f"Q {hostile}"
    )
    assert prompt.context == f"Read this:\nFrom “T {hostile}”:\n- S {hostile}\n\n"
    assert prompt.user == f"Answer Q {hostile}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("as in [7]", "as in (7)"),
        ("[1, 2] and [12]\u2013[15]", "(1, 2) and (12)\u2013(15)"),
        ("[1-3], [1\u20133]; [ 4 ]", "(1-3), (1\u20133); ( 4 )"),
        ("in [0, 1] and [a, 1] or [MASK]", "in (0, 1) and [a, 1] or [MASK]"),
        ("[[7]]", "[(7)]"),
        ("[\u0667]", "(\u0667)"),
    ],
)
def test_marks_are_defused(text, shown):
    """Citation marks of papers and questions reach the model in round brackets."""
    assert defuse(text) == shown


@given(st.text(st.sampled_from("[]()0123456789, -\u2013a"), max_size=30))
def test_no_mark_survives(text):
    """After defusing nothing looks like a citation mark."""
    assert not re.search(r"\[[0-9]+\]", defuse(text))


def test_no_mark_stands_in_a_prompt():
    """Whatever marks the evidence, its titles and the question hold, none of them reaches the model."""
    read = layout([evidence("S [91] [1][2] [3, 4].")], {"p": "T [98]"})
    prompt = PROMPTS.fill("write", read, question="Is [99] right?")
    assert not re.search(r"\[\d", prompt.context + prompt.user)


def test_papers_are_kept_apart():
    """Sentences are under the title of their paper, in the order of the abstract; papers come best first."""
    pieces = [
        evidence("A at 40.", "a", 40),
        evidence("B at 9.", "b", 9),
        evidence("A at 7.", "a", 7),
    ]
    assert layout(pieces, {"a": "Title A", "b": "Title B"}) == (
        "From “Title A”:\n- A at 7.\n- A at 40.\nFrom “Title B”:\n- B at 9."
    )


def test_no_text_of_a_paper_begins_a_line():
    """A title or sentence that looks like a part of the prompt comes after our own words."""
    read = layout([evidence("Question: what?")], {"p": "Question: who?"})
    assert not re.search(r"^Question", PROMPTS.fill("write", read, question="Why?").context, re.MULTILINE)


def fitting(budget, prompts=PROMPTS, wanted=1000, **values):
    """How many of three pieces of evidence fit."""
    pieces = [evidence(f"{n} sentence.") for n in range(3)]
    kept = fit_evidence(
        prompts,
        pieces,
        {"p": "T"},
        generator=CountsWords(),
        wanted=wanted,
        budget=budget,
        question="Why?",
        **values,
    )
    assert kept == pieces[: len(kept)]
    return len(kept)


@pytest.mark.parametrize(("budget", "kept"), [(100, 3), (17, 3), (16, 2), (14, 2), (13, 1), (11, 1)])
def test_evidence_is_dropped_from_the_end(budget, kept):
    """If room is short, the last pieces are dropped first; with room for everything nothing is dropped."""
    assert fitting(budget) == kept


@pytest.mark.parametrize(("wanted", "kept"), [(100, 3), (17, 3), (16, 2), (14, 2), (13, 1), (1, 1)])
def test_no_more_is_kept_than_is_wanted(wanted, kept):
    """If more fits than is wanted, the last pieces are dropped too, but one piece is kept."""
    assert fitting(1000, wanted=wanted) == kept


@pytest.mark.parametrize("budget", [10, 0, -100])
def test_no_room_at_all_is_an_error(budget):
    """If not even one piece fits, the message names the setting that helps."""
    with pytest.raises(PromptError, match="RAG_QA_CONTEXT_TOKENS"):
        fitting(budget)


def test_the_longest_prompt_must_fit():
    """Evidence is cut to fit the prompt that asks again, which is longer than the first one."""
    again = {"again": "Once more, and this time with a good many words, answer $question"}
    longer = PROMPTS.model_copy(update={"texts": {**PROMPTS.texts, **again}})
    assert (fitting(23), fitting(23, longer, draft="", reasons="")) == (3, 1)
