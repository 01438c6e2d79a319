"""What an answer records of how it was made: provenance, timings and what did not fit."""

import pytest

from rag_qa.answering.writing.prompt import load_prompt
from rag_qa.errors import PromptError
from rag_qa.testing import QueuedGenerator
from rag_qa.types import Answer

FACT = "How much of the variance did EigenGame reach?"
MAX_TOKENS = 32
RESULT = "EigenGame reached 98.5% of the variance on a dataset of 200,000 images."


def test_provenance_says_what_ran(open_assistant):
    """An answer in prose names versions, index, models, settings, prompt and what was dropped."""
    provenance = open_assistant([RESULT], seed=7).ask(FACT).provenance
    assert provenance["generator"]["name"] == "queued"
    assert provenance["embedder"]["name"] == "hashing"
    assert provenance["prompt_sha256"] == load_prompt("answer").sha256
    assert provenance["prompt_tokens"] > 0
    assert provenance["evidence_dropped"] == 0
    assert provenance["settings"]["seed"] == 7
    assert provenance["index_generation"] == 1
    assert {"rag_qa", "answer_version"} <= provenance.keys()


def test_evidence_that_does_not_fit_is_dropped_and_counted(ask_with):
    """In a context that is a little too small the last evidence stays out, and the provenance counts it."""
    question, reply = "What is viewed as a competitive game?", "Principal component analysis is a game."
    roomy, tight = QueuedGenerator([reply] * 2), QueuedGenerator([reply] * 2)
    whole = ask_with(roomy, question, max_tokens=MAX_TOKENS).provenance
    tight.spec = tight.spec.model_copy(update={"n_ctx": whole["prompt_tokens"] + 2 * MAX_TOKENS})
    provenance = ask_with(tight, question, max_tokens=MAX_TOKENS).provenance
    dropped = provenance["evidence_dropped"]
    assert whole["evidence_dropped"] == 0 < dropped
    assert provenance["prompt_tokens"] < whole["prompt_tokens"]
    assert roomy.prompts[0].context.count("\n- ") == tight.prompts[0].context.count("\n- ") + dropped


def test_no_more_is_read_than_the_tokens_to_read(ask_with):
    """With few tokens to read the best piece of evidence is read alone, and the provenance counts the others."""
    few, many = QueuedGenerator([RESULT]), QueuedGenerator([RESULT])
    dropped = {}
    for generator, tokens in ((few, 64), (many, 600)):
        dropped[tokens] = ask_with(generator, FACT, read_tokens=tokens).provenance["evidence_dropped"]
    assert few.prompts[0].context.count("\n- ") == 1
    assert RESULT in few.prompts[0].context
    assert dropped[64] == many.prompts[0].context.count("\n- ") - 1 > dropped[600] == 0


def test_a_prompt_that_cannot_fit_is_an_error(ask_with):
    """If not even one piece of evidence fits, the error names the setting to raise."""
    with pytest.raises(PromptError, match="RAG_QA_CONTEXT_TOKENS"):
        ask_with(QueuedGenerator(n_ctx=40), FACT, max_tokens=MAX_TOKENS)


@pytest.mark.parametrize("replies", [None, [RESULT]])
def test_timings_add_up(open_assistant, replies):
    """Each stage has a time in seconds, and together they are no more than the total."""
    timings = dict(open_assistant(replies).ask(FACT).timings)
    total = timings.pop("total")
    assert {"search", "evidence"} <= timings.keys()
    assert ({"prompt", "write", "attribute"} <= timings.keys()) == (replies is not None)
    assert all(seconds >= 0 for seconds in timings.values())
    assert sum(timings.values()) <= total


@pytest.mark.parametrize("replies", [None, [RESULT]])
def test_an_answer_survives_json(open_assistant, replies):
    """An answer read back from its JSON is the same answer."""
    answer = open_assistant(replies).ask(FACT)
    assert Answer.model_validate_json(answer.model_dump_json()) == answer
