"""The engine with the language model that writes over the sample papers, as `make setup` leaves it."""

import pytest

from rag_qa import Assistant, Settings, build_index
from rag_qa.backends.locating import WRITER, locate_model
from rag_qa.errors import ModelNotFoundError
from rag_qa.sample import sample_papers_path

pytestmark = [pytest.mark.model, pytest.mark.writer]


@pytest.fixture(scope="module")
def assistant(tmp_path_factory):
    """An assistant over the sample papers with the writer; skipped where that is not on this machine."""
    try:
        locate_model(WRITER, kind="generator")
    except ModelNotFoundError as exc:
        pytest.skip(str(exc))
    folder = tmp_path_factory.mktemp("writer") / "index"
    build_index([sample_papers_path()], folder)
    with Assistant.open(folder, settings=Settings(model=WRITER)) as opened:
        yield opened


def test_what_the_papers_say_is_answered_and_a_near_miss_refused(assistant):
    """A question that an abstract answers gets supported prose; one on what it leaves out is refused with a reason."""
    answer = assistant.ask("What does EigenGame show about principal component analysis?")
    papers = {paper.id: paper for paper in answer.papers}
    assert not answer.abstained
    first = answer.sentences[0]
    assert (first.kind, first.verdict.label) == ("prose", "supported")
    for citation in (citation for sentence in answer.sentences for citation in sentence.citations):
        assert papers[citation.paper_id].abstract[citation.start : citation.end] == citation.quote
    assert answer.provenance["generator"]["name"] == WRITER
    refused = assistant.ask("Which learning rate does EigenGame use for principal component analysis?")
    assert refused.abstained
    assert refused.reason
    assert refused.nearest
