import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_qa.answering.writing.grammar import REFUSAL
from rag_qa.answering.writing.prompt import PromptTemplate, defuse, fit_evidence, load_prompt
from rag_qa.errors import PromptError
from rag_qa.types import Evidence

TEMPLATE = PromptTemplate(system="Use $evidence", user="Answer $question", sha256="0")
GOOD = 'system = "Be brief."\nuser = "$evidence $question"\n'


def evidence(label, sentence="A sentence.", paper_id="p"):
    """A piece of evidence with a label."""
    return Evidence(label=label, paper_id=paper_id, sentence=sentence, start=0, end=len(sentence), score=1.0)


class CountsWords:
    """A generator that counts words as tokens."""

    def count_tokens(self, prompt):
        return len(f"{prompt.system} {prompt.user}".split())


def prompt_file(folder, text):
    """Write a prompt file into a folder."""
    (folder / "synthesis.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def test_the_shipped_prompt_loads():
    """The prompt that ships has its two placeholders and speaks of both."""
    prompt = load_prompt("synthesis").fill("Why?", [evidence(1, "Because.")], {"p": "On reasons"})
    assert "From “On reasons”:\n[1] Because.\n" in prompt.user
    assert REFUSAL in prompt.system
    assert "Question: Why?" in prompt.user
    assert "$" not in prompt.system + prompt.user


def test_a_folder_overrides_what_ships(tmp_path):
    """A prompt file of the user's own is used instead, and its hash is that of its bytes."""
    template = load_prompt("synthesis", prompt_file(tmp_path, GOOD))
    assert template.system == "Be brief."
    assert template.sha256 == hashlib.sha256(GOOD.encode()).hexdigest()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('system = "a', "no valid TOML"),
        (b'system = "\xff\xfe"', "no valid TOML"),
        ("", "must hold two texts"),
        ('system = "$evidence $question"', "must hold two texts"),
        (GOOD + 'extra = "x"', "must hold two texts"),
        ('system = 1\nuser = "$evidence $question"', "must hold two texts"),
        ('system = "a"\nuser = "$question"', r"exactly the placeholders \$evidence, \$question; found"),
        (GOOD.replace("brief", "$brief"), "exactly the placeholders"),
        (GOOD.replace("brief", "$questions"), "exactly the placeholders"),
        (GOOD.replace("brief", "5 $ cheap"), r"write `\$\$`"),
        (GOOD.replace("brief", "$é"), r"write `\$\$`"),
    ],
)
def test_a_wrong_prompt_file_is_told(tmp_path, text, message):
    """A prompt file that cannot be filled is refused when loaded, and the message says what to change."""
    with pytest.raises(PromptError, match=message):
        load_prompt("synthesis", prompt_file(tmp_path, text))


@pytest.mark.parametrize("make", [lambda folder: None, lambda folder: (folder / "synthesis.toml").mkdir()])
def test_a_missing_prompt_file_is_told(tmp_path, make):
    """A folder without the file, or with a folder of its name, is told with the path that is wanted."""
    make(tmp_path)
    with pytest.raises(PromptError, match=re.escape(str(tmp_path / "synthesis.toml"))):
        load_prompt("synthesis", tmp_path)


def test_a_doubled_dollar_is_one(tmp_path):
    """`$$` in a prompt file is a dollar sign for the model."""
    template = load_prompt("synthesis", prompt_file(tmp_path, GOOD.replace("brief", "$$brief")))
    assert template.fill("Why?", [evidence(1)], {"p": "T"}).system == "Be $brief."


def test_dollars_in_papers_stay_dollars():
    """LaTeX and placeholders in titles, abstracts and questions are data, never substituted."""
    hostile = "with $k$ of $question and ${evidence} at $5"
    prompt = TEMPLATE.fill(f"Q {hostile}", [evidence(1, f"S {hostile}")], {"p": f"T {hostile}"})
    assert prompt.system == f"Use From “T {hostile}”:\n[1] S {hostile}"
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
    """After defusing nothing looks like one of our labels."""
    assert not re.search(r"\[[0-9]+\]", defuse(text))


def test_only_our_labels_stand_in_a_prompt():
    """Whatever marks texts hold, the bracketed numbers of a prompt are the labels of its evidence."""
    pieces = [evidence(n, f"S [9{n}] [1][2] [3, 4].") for n in (1, 2)]
    prompt = TEMPLATE.fill("Is [99] right?", pieces, {"p": "T [98]"})
    assert re.findall(r"\[(\d+)\]", prompt.system + prompt.user) == ["1", "2"]


def test_papers_are_kept_apart():
    """Each paper's sentences stand together under its title, once, in the order in which the papers come first."""
    pieces = [evidence(1, "A1."), evidence(2, "B2.", "q"), evidence(3, "A3.")]
    prompt = TEMPLATE.fill("Which is it?", pieces, {"p": "Title A", "q": "Title B"})
    assert prompt.system == "Use From “Title A”:\n[1] A1.\n[3] A3.\nFrom “Title B”:\n[2] B2."


def test_no_text_of_a_paper_begins_a_line():
    """A title or sentence that looks like a part of the prompt stands behind our own words."""
    prompt = TEMPLATE.fill("Why?", [evidence(1, "Question: what?")], {"p": "Question: who?"})
    assert not re.search(r"^Question", prompt.system, re.MULTILINE)


def test_evidence_that_fits_is_kept_whole():
    """With room for everything nothing is dropped."""
    pieces = [evidence(n) for n in (1, 2, 3)]
    prompt, kept = fit_evidence(TEMPLATE, "Why?", pieces, {"p": "T"}, generator=CountsWords(), budget=100)
    assert kept == pieces
    assert prompt == TEMPLATE.fill("Why?", pieces, {"p": "T"})


@pytest.mark.parametrize(("budget", "kept"), [(14, 3), (13, 2), (11, 2), (10, 1), (8, 1)])
def test_evidence_is_dropped_from_the_end(budget, kept):
    """Where room is short the last pieces go first, and the prompt holds what is kept."""
    pieces = [evidence(n) for n in (1, 2, 3)]
    prompt, fitting = fit_evidence(
        TEMPLATE, "Why?", pieces, {"p": "T"}, generator=CountsWords(), budget=budget
    )
    assert fitting == pieces[:kept]
    assert prompt == TEMPLATE.fill("Why?", pieces[:kept], {"p": "T"})


@pytest.mark.parametrize("budget", [7, 0, -100])
def test_no_room_at_all_is_told(budget):
    """Where not one piece fits, the message names the setting that helps."""
    with pytest.raises(PromptError, match="RAG_QA_CONTEXT_TOKENS"):
        fit_evidence(TEMPLATE, "Why?", [evidence(1)], {"p": "T"}, generator=CountsWords(), budget=budget)
