"""The judge of entailment over a cross-encoder, with a tiny random one."""

import pytest

from rag_qa.answering.verdict.model import Verifier
from rag_qa.backends.entailment import CrossEncoderJudge, open_entailment
from rag_qa.errors import BackendError, ModelNotFoundError
from rag_qa.settings import Settings
from rag_qa.testing import HashingEmbedder

SENTENCE, PREMISES = "bees dance", ["bees dance in the sun", "soup is cold"]
LABELS = ("contradiction", "Entailment", "neutral")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, save_cross_encoder):
    """A folder with the tiny cross-encoder."""
    folder = tmp_path_factory.mktemp("entailment")
    save_cross_encoder(folder, (SENTENCE, *PREMISES), LABELS)
    return folder


@pytest.mark.model
def test_a_verdict_is_a_probability_of_entailment(folder):
    """The verdict's probability is that of the label that begins with "entail", from the best premise."""
    judge = CrossEncoderJudge(folder, device="cpu")
    together = judge.judge(SENTENCE, PREMISES)
    alone = [judge.judge(SENTENCE, [premise]).probability for premise in PREMISES]
    assert 0 < min(alone) <= max(alone) <= together.probability + 1e-6 < 1
    assert together.label == ("partial" if together.probability < 0.5 else "supported")
    assert judge.judge(SENTENCE, PREMISES) == together


@pytest.mark.model
def test_nothing_cited_is_unsupported(folder):
    """Without evidence or words there is nothing to entail."""
    judge = CrossEncoderJudge(folder, device="cpu")
    assert judge.judge(SENTENCE, [" "]).label == judge.judge(" ", PREMISES).label == "unsupported"


@pytest.mark.model
def test_it_plugs_into_the_verifier(folder):
    """The settings' model decides where no rule does."""
    entailment = open_entailment(Settings(entailment=folder, device="cpu"))
    said = Verifier(HashingEmbedder(), entailment).judge(SENTENCE, ["bees in the sun", "soup is cold"])
    assert said.probability == entailment.judge(SENTENCE, ["bees in the sun", "soup is cold"]).probability


@pytest.mark.model
def test_a_model_without_such_labels_is_told(tmp_path, save_cross_encoder):
    """A cross-encoder whose labels have no names cannot judge, and the message says what to name."""
    save_cross_encoder(tmp_path, (SENTENCE, *PREMISES), ("good", "bad"))
    with pytest.raises(BackendError, match="id2label"):
        CrossEncoderJudge(tmp_path, device="cpu").judge(SENTENCE, PREMISES)


@pytest.mark.model
def test_a_damaged_model_is_told(tmp_path):
    """The error for a folder whose weights cannot be read names the setting to change."""
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(BackendError, match="RAG_QA_ENTAILMENT"):
        CrossEncoderJudge(tmp_path, device="cpu").judge(SENTENCE, PREMISES)


def test_no_model_named_is_none(tmp_path):
    """Without the setting there is no such judge; a folder without a model is an error."""
    assert open_entailment(Settings()) is None
    with pytest.raises(ModelNotFoundError, match="unset it"):
        open_entailment(Settings(entailment=tmp_path / "nowhere"))
