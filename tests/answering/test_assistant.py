import json
import re

import pytest

from rag_qa import Assistant, Settings, build_index
from rag_qa.answering.assistant import reads_well, style_of
from rag_qa.answering.evidence.answerability import Clues
from rag_qa.answering.synthesis import UNSUPPORTED
from rag_qa.answering.writing.prompt import load_prompt
from rag_qa.backends.locating import STARTER, WRITER
from rag_qa.errors import IndexMismatchError, IndexNotFoundError, PromptError, QuestionError, SettingsError
from rag_qa.testing import HashingEmbedder, QueuedGenerator
from rag_qa.types import Answer

WHICH = "which papers discuss eigendecomposition as a game?"
FACT = "How much of the variance did EigenGame reach?"
MAX_TOKENS = 32
RESULT = "EigenGame reached 98.5% of the variance on a dataset of 200,000 images."


def ask_with(library, generator, question):
    """The provenance of an answer written by the generator."""
    settings = Settings(model=STARTER, min_relevance=0.0, max_tokens=MAX_TOKENS)
    with Assistant.open(
        library, settings=settings, embedder=HashingEmbedder(), generator=generator
    ) as assistant:
        return assistant.ask(question).provenance


def check_citations(assistant, answer):
    """Every citation is a verbatim cut of a paper of the answer, and every paper is cited, in that order."""
    cited = [citation for sentence in answer.sentences for citation in sentence.citations]
    for citation in cited:
        paper = assistant.paper(citation.paper_id)
        assert paper.abstract[citation.start : citation.end] == citation.quote
    assert [paper.id for paper in answer.papers] == list(dict.fromkeys(c.paper_id for c in cited))


# --- quotes


@pytest.mark.parametrize("question", [WHICH, FACT, "What does a token such as <|im_end|> end?"])
def test_quotes_are_verbatim_and_cite_themselves(open_assistant, question):
    """In quote style each sentence is a quote, supported by itself and cut from its paper."""
    assistant = open_assistant()
    answer = assistant.ask(question)
    check_citations(assistant, answer)
    assert not answer.abstained
    assert answer.reason is None
    assert answer.nearest == ()
    for sentence in answer.sentences:
        assert (sentence.kind, sentence.verdict.label) == ("quote", "supported")
        assert [citation.quote for citation in sentence.citations] == [sentence.text]


def test_a_fact_is_answered_with_its_sentence(open_assistant):
    """The sentence that holds the fact comes first."""
    assert open_assistant().ask(FACT).sentences[0].text == RESULT


def test_papers_are_listed_once_each(open_assistant):
    """A "which papers" question gives one sentence a paper, the right papers first."""
    answer = open_assistant().ask(WHICH)
    ids = [sentence.citations[0].paper_id for sentence in answer.sentences]
    assert len(ids) == len(set(ids))
    assert set(ids[:2]) == {"eigengame", "unloaded"}


def test_the_numbers_of_sentences_and_papers_are_bounded(open_assistant):
    """`evidence_sentences` bounds the quotes of an answer, `listed_papers` those of a list."""
    assert len(open_assistant(evidence_sentences=1).ask(FACT).sentences) == 1
    assert len(open_assistant(listed_papers=2).ask(WHICH).papers) == 2


def test_marks_and_instructions_in_papers_are_only_text(open_assistant):
    """An abstract that gives orders or holds marks is quoted as it stands, and nothing obeys it."""
    assistant = open_assistant(evidence_sentences=3)
    answer = assistant.ask("What is a trap for parsers: abstracts with marks such as [7]?")
    check_citations(assistant, answer)
    assert any("[12]\u2013[15]" in sentence.text for sentence in answer.sentences)
    assert "99" not in {paper.id for paper in answer.papers}


def test_a_follow_up_on_what_its_paper_does_not_name_is_refused(open_assistant):
    """A paper shown before is asked about whatever its words, but not about a name that it does not have."""
    assistant = open_assistant()
    before = assistant.ask(WHICH)
    refused = assistant.ask("does the second one work on HoneyNet?", history=[before])
    assert refused.abstained
    assert refused.reason.endswith("none of them names “HoneyNet”")
    assert not assistant.ask("does the second one work on images?", history=[before]).abstained


# --- prose


def test_supported_prose_is_the_answer(open_assistant):
    """Prose that a stored sentence supports is the answer, and cites that sentence."""
    claim = "EigenGame reached 98.5% of the variance on 200,000 images."
    assistant = open_assistant([claim])
    answer = assistant.ask(FACT)
    check_citations(assistant, answer)
    (sentence,) = answer.sentences
    assert (sentence.kind, sentence.text) == ("prose", claim)
    assert sentence.citations[0].quote == RESULT
    assert sentence.verdict.label == "supported"


@pytest.mark.parametrize(
    "claim",
    [
        "EigenGame reached 12.5% of the variance on a dataset of 200,000 images.",
        "Dropout reached 98.5% of the variance on a dataset of 200,000 images.",
        "EigenGame never reached 98.5% of the variance on a dataset of images.",
        "The moon is made of green cheese and nothing else at all.",
        "EigenGame reached beautiful images of distant lakes and snowy mountains.",
    ],
)
def test_unsupported_prose_is_never_shown(open_assistant, claim):
    """A sentence that no stored one supports leaves a quote or a refusal behind, and stands nowhere in the answer."""
    assistant = open_assistant([claim, claim])
    answer = assistant.ask(FACT)
    check_citations(assistant, answer)
    assert {s.kind for s in answer.sentences} <= {"quote"}
    assert claim not in answer.model_dump_json()


def test_an_answer_of_which_nothing_remains_is_a_refusal(open_assistant):
    """Where nothing of what the model writes is supported, that is the reason, and the nearest papers are shown."""
    answer = open_assistant(["The moon is made of green cheese."] * 2).ask(FACT)
    assert (answer.abstained, answer.reason, answer.sentences) == (True, UNSUPPORTED, ())
    assert 1 <= len(answer.nearest) <= 3
    assert answer.model_input is not None


def test_a_model_that_reads_well_may_refuse(open_assistant):
    """Where the model reads that the evidence does not state the answer, none is written, and there is a reason."""
    assistant = open_assistant([RESULT], choices=[(0.1, 0.9), (0.9, 0.1)], min_relevance=None)
    refused, answered = assistant.ask(FACT), assistant.ask(FACT)
    assert refused.abstained
    assert refused.reason
    assert refused.model_input is None
    assert refused.confidence < 0.5 < answered.confidence
    assert [s.text for s in answered.sentences] == [RESULT]


def test_an_answer_that_is_not_confirmed_is_a_refusal(open_assistant):
    """Where what the answer cites does not state it by itself, nothing is said, and the reason is a refusal's."""
    choices = [(0.6, 0.4), (0.01, 0.99), (0.6, 0.4), (0.9, 0.1)]
    assistant = open_assistant([RESULT] * 2, choices=choices, min_relevance=None)
    refused, answered = assistant.ask(FACT), assistant.ask(FACT)
    assert refused.abstained
    assert refused.reason.startswith("relevant papers are here")
    assert refused.sentences == refused.papers == ()
    assert 1 <= len(refused.nearest) <= 3
    assert refused.confidence < 0.5 < answered.confidence
    assert [s.text for s in answered.sentences] == [RESULT]
    check_citations(assistant, answered)


def test_a_confidence_that_is_wanted_is_asked_of_the_confirmed_answer(open_assistant):
    """A confidence set by the user refuses what is written and less sure, and not what is only read so far."""
    choices = [(0.7, 0.3), (0.05, 0.95), (0.7, 0.3), (0.99, 0.01)]
    assistant = open_assistant([RESULT] * 2, choices=choices, min_relevance=0.9)
    assert [assistant.ask(FACT).abstained, assistant.ask(FACT).abstained] == [True, False]


@pytest.mark.parametrize(
    ("affirmed", "opening"),
    [((0.9, 0.05, 0.05), "Yes, "), ((0.05, 0.9, 0.05), "No, "), ((0.1, 0.05, 0.85), "")],
)
def test_a_yes_or_no_is_kept_with_its_answer(open_assistant, affirmed, opening):
    """The provenance holds the probabilities that an answer to a yes/no question began by."""
    yes, no, maybe = affirmed
    letters = [(yes, no, maybe), (no, maybe, yes), (maybe, yes, no)]
    choices = [(0.9, 0.1), *letters, *(letters if opening else []), (0.9, 0.1)]
    assistant = open_assistant([RESULT], choices=choices, min_relevance=None)
    answer = assistant.ask("Does EigenGame reach 98.5% of the variance on a dataset of 200,000 images?")
    assert answer.text.startswith(f"{opening}{RESULT}")
    assert tuple(answer.provenance["affirmed"].values()) == pytest.approx(affirmed)


def test_an_answer_says_what_its_decision_was_read_from(open_assistant):
    """The provenance holds the clues, with what the model said where one reads well; without papers none."""
    said = {"stated", "confirmed", "supported"}
    choices = [(0.9, 0.1), (0.9, 0.1)]
    read = open_assistant([RESULT], choices=choices, min_relevance=None).ask(FACT).provenance["clues"]
    quoted = open_assistant().ask(FACT).provenance["clues"]
    assert read.keys() - quoted.keys() == said
    assert quoted.keys() == Clues.model_fields.keys()
    assert {name: read[name] for name in quoted} == quoted
    counted = open_assistant().ask("how many papers are there?").provenance
    assert counted["clues"] == {}


def test_a_weak_model_decides_nothing(library):
    """A model that the catalogue lets quote only is asked for prose, and never whether the papers answer."""
    generator = QueuedGenerator([RESULT])
    ask_with(library, generator, FACT)
    (prompt,) = generator.prompts
    assert "one short sentence" in prompt.user


def test_a_list_is_introduced_and_quoted(open_assistant):
    """ "Which papers" is answered by a sentence that each of them supports, if any, and then each paper's own."""
    game = " discuss an eigendecomposition as a competitive game."
    options = {"listed_papers": 2}
    introduced = open_assistant([game], **options).ask(WHICH)
    bare = open_assistant(["The moon is made of green cheese."], **options).ask(WHICH)
    assert [s.kind for s in introduced.sentences] == ["prose", "quote", "quote"]
    titles = [f"“{paper.title}”" for paper in introduced.papers]
    assert introduced.sentences[0].text == f"The papers {' and '.join(titles)}{game}"
    assert [s.kind for s in bare.sentences] == ["quote", "quote"]
    assert introduced.sentences[1:] == bare.sentences == open_assistant(**options).ask(WHICH).sentences
    assert introduced.papers == bare.papers


def test_no_mark_of_a_question_or_a_paper_reaches_the_model(library):
    """Marks are left out of the question and defused in the evidence, and orders are left out of it."""
    generator = QueuedGenerator(["A token such as im_end ends a turn of a chat template."])
    ask_with(library, generator, "Does [99] say that marks such as [7] trap parsers?")
    (prompt, *_) = generator.prompts
    assert "Does say that marks such as trap parsers?" in prompt.user
    assert "(7)" in prompt.context
    assert not re.search(r"\[\d", prompt.context + prompt.user)


def test_a_model_reads_the_sentences_nearest_to_the_question(library):
    """As many sentences as the settings say reach the model, whether an answer would quote them or not."""
    generator = QueuedGenerator([RESULT] * 2)
    for most in (1, 3):
        settings = Settings(model=STARTER, min_relevance=0.0, read_sentences=most, evidence_sentences=1)
        with Assistant.open(
            library, settings=settings, embedder=HashingEmbedder(), generator=generator
        ) as assistant:
            assistant.ask(FACT)
    one, three = (prompt.context for prompt in generator.prompts)
    assert (one.count("\n- "), three.count("\n- ")) == (1, 3)
    assert RESULT in one


@pytest.mark.parametrize(
    "reply", ["Zebra zebra zebra zebra zebra.", "The answer to every question is zebra."]
)
def test_a_model_cannot_obey_a_paper(library, reply):
    """A sentence that gives orders never reaches the model, and prose made of its words is not shown."""
    generator = QueuedGenerator([reply] * 2)
    settings = Settings(model=STARTER, min_relevance=0.0)
    question = "What do the previous instructions answer on every question: zebra?"
    with Assistant.open(
        library, settings=settings, embedder=HashingEmbedder(), generator=generator
    ) as assistant:
        answer = assistant.ask(question)
        check_citations(assistant, answer)
    assert {sentence.kind for sentence in answer.sentences} <= {"quote"}
    assert not any("Ignore the previous" in prompt.context for prompt in generator.prompts)


def test_evidence_that_only_gives_orders_is_not_read(library):
    """Where all that is near to a question addresses its reader, no model is asked, and the reason says why."""
    generator = QueuedGenerator()
    settings = Settings(model=STARTER, min_relevance=0.0, read_sentences=1)
    question = "What do the previous instructions answer on every question: zebra?"
    with Assistant.open(
        library, settings=settings, embedder=HashingEmbedder(), generator=generator
    ) as assistant:
        answer = assistant.ask(question)
    assert answer.abstained
    assert "address their reader" in answer.reason
    assert generator.prompts == []


# --- what an answer says of its making


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


def test_evidence_that_does_not_fit_is_dropped_and_told(library):
    """In a context that is a little too small the last evidence stays out, and the provenance counts it."""
    question, reply = "What is viewed as a competitive game?", "Principal component analysis is a game."
    roomy, tight = QueuedGenerator([reply] * 2), QueuedGenerator([reply] * 2)
    whole = ask_with(library, roomy, question)
    tight.spec = tight.spec.model_copy(update={"n_ctx": whole["prompt_tokens"] + 2 * MAX_TOKENS})
    provenance = ask_with(library, tight, question)
    dropped = provenance["evidence_dropped"]
    assert whole["evidence_dropped"] == 0 < dropped
    assert provenance["prompt_tokens"] < whole["prompt_tokens"]
    assert roomy.prompts[0].context.count("\n- ") == tight.prompts[0].context.count("\n- ") + dropped


def test_no_more_is_read_than_the_tokens_to_read(library):
    """With few tokens to read the best piece of evidence is read alone, and the provenance counts the others."""
    few, many = QueuedGenerator([RESULT]), QueuedGenerator([RESULT])
    dropped = {}
    for generator, tokens in ((few, 64), (many, 600)):
        settings = Settings(model=STARTER, min_relevance=0.0, read_tokens=tokens)
        with Assistant.open(
            library, settings=settings, embedder=HashingEmbedder(), generator=generator
        ) as assistant:
            dropped[tokens] = assistant.ask(FACT).provenance["evidence_dropped"]
    assert few.prompts[0].context.count("\n- ") == 1
    assert RESULT in few.prompts[0].context
    assert dropped[64] == many.prompts[0].context.count("\n- ") - 1 > dropped[600] == 0


def test_a_prompt_that_cannot_fit_is_told(library):
    """Where not one piece of evidence fits, the error names the setting to raise."""
    with pytest.raises(PromptError, match="RAG_QA_CONTEXT_TOKENS"):
        ask_with(library, QueuedGenerator(n_ctx=40), FACT)


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


# --- abstaining


def test_without_evidence_it_abstains_and_shows_the_nearest(open_assistant):
    """Below the relevance asked for, there is a reason, no sentence, and the nearest papers."""
    answer = open_assistant(min_relevance=1.0).ask("How do bees find their hive in winter?")
    assert answer.abstained
    assert answer.reason
    assert answer.sentences == answer.papers == ()
    assert 1 <= len(answer.nearest) <= 3


def test_an_empty_index_abstains(tmp_path, open_assistant):
    """An index without papers finds nothing, says so, and has no nearest papers."""
    (tmp_path / "empty.jsonl").write_text(json.dumps({"title": "No abstract"}))
    build_index([tmp_path / "empty.jsonl"], tmp_path / "index", embedder=HashingEmbedder())
    assistant = open_assistant(index=tmp_path / "index")
    assert assistant.search("anything") == []
    answer = assistant.ask(FACT)
    assert (answer.abstained, answer.reason) == (True, "the index holds no papers")
    assert answer.nearest == ()


# --- the stream


@pytest.mark.parametrize("replies", [None, [RESULT]])
@pytest.mark.parametrize("question", [WHICH, FACT])
def test_a_stream_is_hits_then_sentences_then_the_answer(open_assistant, replies, question):
    """Events come in that order, text of the model before its sentences, and the last holds what was streamed."""
    events = list(open_assistant(replies).stream(question))
    kinds = [event.kind for event in events]
    assert (kinds[0], kinds[-1]) == ("hits", "answer")
    assert set(kinds[1:-1]) == {"sentence"} | ({"piece"} if replies else set())
    assert [hit.rank for hit in events[0].hits] == list(range(1, len(events[0].hits) + 1))
    assert events[0].query == events[-1].answer.query
    assert tuple(event.sentence for event in events if event.sentence) == events[-1].answer.sentences
    assert "".join(event.piece for event in events) == (replies[0] if replies else "")


@pytest.mark.parametrize("question", [WHICH, FACT])
def test_ask_is_the_end_of_the_stream(open_assistant, question):
    """Asked or streamed, twice over, the answer is the same but for its timings."""
    assistant = open_assistant()
    streamed = list(assistant.stream(question))[-1].answer
    for asked in (assistant.ask(question), assistant.ask(question)):
        assert asked.model_copy(update={"timings": streamed.timings}) == streamed


def test_a_stream_can_be_left(open_assistant):
    """A reader who stops after the hits leaves the assistant usable."""
    assistant = open_assistant([RESULT])
    next(iter(assistant.stream(FACT)))
    assert assistant.ask(FACT).sentences


# --- asking on


def test_the_second_one_is_answered_from_it_alone(open_assistant):
    """ "The second one" is answered with sentences of the second paper of the answer before."""
    assistant = open_assistant()
    first = assistant.ask(WHICH)
    answer = assistant.ask("and the second one?", history=[first])
    assert [paper.id for paper in answer.papers] == [first.papers[1].id]
    assert answer.question == "and the second one?"


@pytest.mark.parametrize(
    "question",
    [
        "Why does dropout help?",
        pytest.param(
            "What does dropout do and why does it help?",
            marks=pytest.mark.xfail(
                reason="a pronoun of the question's own subject is taken for the papers shown"
            ),
        ),
        "What does dropout remove during training?",
    ],
)
def test_a_whole_question_is_free_of_the_last_answer(open_assistant, question):
    """After a change of topic, papers of the new topic are found."""
    assistant = open_assistant()
    answer = assistant.ask(question, history=[assistant.ask(WHICH)])
    assert answer.papers[0].id == "dropout"


def test_papers_that_have_gone_are_not_searched(open_assistant):
    """History from another index does not end in a crash."""
    assistant = open_assistant()
    first = assistant.ask(WHICH)
    gone = first.model_copy(update={"papers": (first.papers[0].model_copy(update={"id": "gone"}),)})
    answer = assistant.ask("What does the first one prove?", history=[gone])
    assert "gone" not in {paper.id for paper in answer.papers}


# --- search


@pytest.mark.parametrize(("k", "found"), [(1, 1), (3, 3), (5, 5), (1000, 5)])
def test_search_gives_k_papers_or_all(open_assistant, k, found):
    """At most k papers come back, ranked from 1, best first."""
    hits = open_assistant().search("a competitive game", k)
    assert [hit.rank for hit in hits] == list(range(1, found + 1))
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_search_takes_k_from_the_settings(open_assistant):
    """Without a k of its own, search gives `Settings.k` papers."""
    assert len(open_assistant(k=2).search("a competitive game")) == 2


@pytest.mark.parametrize("k", [0, -1])
def test_a_k_below_one_is_told(open_assistant, k):
    """Asking for no papers is told, not answered with all or none."""
    with pytest.raises(SettingsError, match="at least one"):
        open_assistant().search("games", k)


@pytest.mark.parametrize("blank", ["", "  ", "\x1b[31m", "?"])
def test_a_blank_question_is_told(open_assistant, blank):
    """Search, ask and stream refuse a question without words, at once."""
    assistant = open_assistant()
    for verb in (assistant.search, assistant.ask, assistant.stream):
        with pytest.raises(QuestionError):
            verb(blank)


@pytest.mark.parametrize(
    "question", ["caf\udce9 games?", "games \x1b[31mred\x1b[0m?", "游戏 games", "😀 games"]
)
def test_a_strange_question_is_answered(open_assistant, question):
    """Stray bytes, escapes and other scripts in a question are no crash, and the answer has a JSON."""
    answer = open_assistant().ask(question)
    assert "\\u001b" not in answer.model_dump_json()


# --- opening and closing


def test_closing_twice_is_harmless(open_assistant):
    """An assistant may be closed again, as `with` after an explicit close does."""
    assistant = open_assistant()
    assistant.close()
    assistant.close()


def test_no_index_is_told(tmp_path):
    """Opening a folder without an index names the command that makes one."""
    with pytest.raises(IndexNotFoundError, match="rag-qa index"):
        Assistant.open(tmp_path, embedder=HashingEmbedder())


def test_another_embedder_is_told(library):
    """An index is not searched with vectors of another embedder."""
    with pytest.raises(IndexMismatchError, match="hashing"):
        Assistant.open(library, embedder=HashingEmbedder(name="other"))


def test_a_bad_prompt_is_told_on_opening(library, tmp_path):
    """A prompt file of the user's that cannot be filled is told before any question is asked."""
    (tmp_path / "answer.toml").write_text('system = "Be brief."')
    with pytest.raises(PromptError):
        Assistant.open(
            library,
            settings=Settings(model=STARTER, style="quote", prompts=tmp_path),
            embedder=HashingEmbedder(),
        )


def test_papers_are_found_by_id(open_assistant):
    """`paper` gives one paper or a KeyError, `papers` all of them."""
    assistant = open_assistant()
    assert assistant.paper("music").year is None
    assert {paper.id for paper in assistant.papers()} == {
        "eigengame",
        "unloaded",
        "dropout",
        "music",
        "hostile",
    }
    with pytest.raises(KeyError):
        assistant.paper("nowhere")


@pytest.mark.parametrize(
    ("fields", "style"),
    [
        ({"model": "SmolLM2-135M-Instruct"}, "quote"),
        ({"model": "smollm2-135m-instruct"}, "quote"),
        ({"model": WRITER}, "synthesis"),
        ({"model": "some/file.gguf"}, "synthesis"),
        ({"style": "synthesis"}, "synthesis"),
        ({"style": "quote", "model": "some/file.gguf"}, "quote"),
    ],
)
def test_auto_is_what_the_catalogue_says(fields, style):
    """`auto` takes the catalogue's style of the model, prose for an unknown one; a set style wins."""
    assert style_of(Settings(**fields)) == style


@pytest.mark.parametrize(
    ("fields", "reads"),
    [
        ({"model": STARTER}, False),
        ({"model": STARTER, "style": "synthesis"}, False),
        ({"model": WRITER}, True),
        ({"model": WRITER, "style": "quote"}, True),
        ({"model": "some/file.gguf"}, True),
    ],
)
def test_whether_a_model_reads_well_is_its_own(fields, reads):
    """A model decides where the catalogue lets it write, whatever style is set; an unknown one decides."""
    assert reads_well(Settings(**fields)) is reads
