import pytest

from rag_qa.answering.synthesis import Synthesis
from rag_qa.answering.trace import Trace
from rag_qa.answering.verdict.model import Verifier
from rag_qa.answering.writing.prompt import load_prompt
from rag_qa.answering.writing.writer import Writer
from rag_qa.index.manifest import Manifest
from rag_qa.settings import Settings
from rag_qa.testing import HashingEmbedder, QueuedGenerator
from rag_qa.types import Evidence, Query

TITLES = {"bees": "BeeDance: a dance of bees", "soup": "On onion soup"}


def evidence(sentence, paper_id="bees", score=0.0):
    return Evidence(paper_id=paper_id, sentence=sentence, start=0, end=len(sentence), score=score)


DANCE = evidence("The foragers tell the others by a dance where flowers stand.", score=1.0)
PIECES = [
    DANCE,
    evidence("It is read against the angle of the sun at 45 degrees."),
    evidence("Onions are fried in butter before the stock goes in.", "soup"),
]
DANCES = (DANCE, evidence("The foragers tell the others of stores by a dance.", "soup"))


def build(generator, reads=True, judge=None, **fields):
    settings = Settings(**fields)
    writer = Writer(generator, load_prompt("answer"), settings, reads=reads)
    spec = HashingEmbedder().spec
    manifest = Manifest(generation=1, rag_qa_version="1", passage_tokens=80, embedder=spec)
    trace = Trace(settings, manifest)
    return Synthesis(writer, judge or Verifier(HashingEmbedder()), settings), trace


class Answered:
    """What a synthesis makes of a question for the pieces of evidence, with these replies of its model.

    `asked` holds what `accepts` was given. It accepts everything by default, but a quote in place of prose only if
    `quotable`.
    """

    def __init__(
        self,
        *replies,
        choices=(),
        kind="fact",
        reads=True,
        pieces=PIECES,
        read=None,
        accepts=True,
        quotable=False,
        question="What do bees do?",
        **fields,
    ):
        self.generator = QueuedGenerator(replies, choices=choices)
        synthesis, self.trace = build(self.generator, reads, **fields)
        query = Query(text=question, topic="bees", kind=kind)
        self.material = synthesis.read(query, read or pieces, pieces, TITLES, self.trace)
        self.stated = synthesis.states(self.material, self.trace)
        self.asked = []

        def accept(confirmed, supported):
            self.asked.append((confirmed, supported))
            return accepts and (quotable or supported is not None)

        self.events = list(synthesis.write(self.material, self.trace, accepts=accept))
        self.sentences = [event.sentence for event in self.events if event.sentence]

    @property
    def said(self):
        """Kind and text of each sentence."""
        return [(sentence.kind, sentence.text) for sentence in self.sentences]

    @property
    def cited(self):
        """The quotes of each sentence."""
        return [[c.quote for c in sentence.citations] for sentence in self.sentences]


@pytest.fixture
def synthesis_of():
    """A function that builds a synthesis with a generator, and the trace of one answer."""
    return build


@pytest.fixture
def answer_with():
    """A function that answers with the replies of a model, and gives what came of it."""
    return Answered


@pytest.fixture
def contrast():
    """A function that sets the quotes of two papers side by side, and gives the texts and what `accepts` was given."""

    def run(*sides, confirmed=(0.9, 0.1), accepts=True, reads=True):
        generator = QueuedGenerator(choices=[confirmed])
        synthesis, trace = build(generator, reads)
        query = Query(text="How do bees and soups differ?", topic="bees and soups", kind="comparison")
        material, asked = synthesis.read(query, sides, sides, TITLES, trace), []

        def accept(*probabilities):
            asked.append(probabilities)
            return accepts

        events = list(synthesis.contrast(material, sides, trace, accepts=accept))
        return [(event.sentence.kind, event.sentence.text) for event in events], asked, trace

    return run


@pytest.fixture
def introduce():
    """A function that introduces a list with the replies of a model, and gives the sentences and the prompts."""

    def run(*replies, pieces=DANCES, titles=TITLES):
        generator = QueuedGenerator(replies)
        synthesis, trace = build(generator)
        query = Query(text="which papers tell of dances?", topic="dances", kind="which")
        material = synthesis.read(query, pieces, pieces, titles, trace)
        events = synthesis.introduce(material, trace)
        return [event.sentence for event in events if event.sentence], generator.prompts

    return run
