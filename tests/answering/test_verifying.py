import pytest

from rag_qa.answering.verifying import VERBATIM, judge

QUOTE = "We train ResNet-50 on ImageNet and reach 76.3% accuracy after 90 epochs with three random seeds."
CLAIM = "EigenGame finds the top components without orthogonalisation, and it does not need a central server."


@pytest.mark.parametrize(
    "sentence",
    [
        QUOTE,
        QUOTE.upper(),
        "ResNet-50 on ImageNet and reach 76.3% accuracy after 90 epochs",
        "  We train ResNet-50 on   ImageNet and reach 76.3% accuracy after 90 epochs with three random seeds ",
    ],
)
def test_a_verbatim_sentence_is_supported(sentence):
    """A sentence that stands in its source word for word is supported, and said to be verbatim."""
    assert judge(sentence, [QUOTE]) == VERBATIM


@pytest.mark.parametrize(
    ("sentence", "evidence"),
    [
        ("ResNet-50 reaches an accuracy of 76.3% on ImageNet after 90 epochs.", [QUOTE]),
        ("After 90 epochs the accuracy reached is 76.3%.", [QUOTE]),
        ("Trained with 3 random seeds, ResNet-50 reaches 76.3% accuracy.", [QUOTE]),
        ("The corpus holds 128353 papers.", ["Our corpus holds 128,353 papers."]),
        ("EigenGame does not need a central server.", [CLAIM]),
        ("ResNet-50 is trained on ImageNet. EigenGame needs no central server.", [QUOTE, CLAIM]),
    ],
)
def test_a_paraphrase_is_supported(sentence, evidence):
    """Other word order, inflection and number writing keep a sentence supported."""
    verdict = judge(sentence, evidence)
    assert (verdict.label, verdict.reasons) == ("supported", ())
    assert 0.8 <= verdict.probability <= 1.0


@pytest.mark.parametrize(
    ("sentence", "evidence", "reason"),
    [
        ("We train ResNet-50 on ImageNet and reach 78.3% accuracy after 90 epochs.", QUOTE, "numbers"),
        ("We train ResNet-50 on ImageNet and reach 76.3% accuracy after 900 epochs.", QUOTE, "numbers"),
        ("We train ResNet-50 on ImageNet for 90 epochs with five random seeds.", QUOTE, "numbers"),
        ("It has two million parameters in all.", "It has two billion parameters in all.", "numbers"),
        ("We train ResNet-50 on CIFAR and reach 76.3% accuracy after 90 epochs.", QUOTE, "names"),
        ("We train VGG-50 on ImageNet and reach 76.3% accuracy after 90 epochs.", QUOTE, "names"),
        ("VGG reaches an accuracy of 76.3% on ImageNet after 90 epochs of training.", QUOTE, "names"),
        ("GPT-50 on ImageNet reaches 76.3% accuracy after 90 epochs, random seeds.", QUOTE, "names"),
        ("EigenGame does need a central server.", CLAIM.split(", and ")[1], "negation"),
        ("The method does not reach 76.3% accuracy on ImageNet after 90 epochs.", QUOTE, "negation"),
        ("The model is robust to noise.", "We do not claim that the model is robust to noise.", "negation"),
        ("The loss doesn\u2019t converge here.", "The loss does converge here.", "negation"),
        (
            "Dropout decreases test error on all tasks.",
            "Dropout increases test error on all tasks.",
            "opposite",
        ),
        (
            "The new model is slower than the old one.",
            "The new model is faster than the old one.",
            "opposite",
        ),
        ("On noisy data, A performs worse than B.", "On noisy data, A performs better than B.", "opposite"),
    ],
)
def test_a_changed_fact_is_unsupported(sentence, evidence, reason):
    """A number, name, negation or direction that the source does not have makes a sentence unsupported."""
    verdict = judge(sentence, [evidence])
    assert verdict.label == "unsupported"
    assert any(reason in found for found in verdict.reasons)


@pytest.mark.parametrize("evidence", [[], [""], ["An unrelated sentence about soup."]])
def test_without_a_source_nothing_is_supported(evidence):
    """No evidence, blank evidence and foreign evidence support nothing."""
    assert judge("Networks generalise well.", evidence).label == "unsupported"
    assert judge("Networks generalise well.", evidence).probability == 0.0


@pytest.mark.parametrize("sentence", ["", " ", ".", "It is.", "[7]", "\U0001f600"])
def test_a_sentence_without_content_is_unsupported(sentence):
    """A sentence that says nothing is never called supported."""
    assert judge(sentence, [QUOTE]).label == "unsupported"


def test_half_a_sentence_is_partial():
    """A sentence of which the source holds a good half is partially supported."""
    verdict = judge("ResNet-50 reaches high accuracy on difficult benchmark images of ImageNet.", [QUOTE])
    assert verdict.label == "partial"
    assert 0.5 <= verdict.probability < 0.8


def test_only_what_is_cited_counts():
    """Support is judged against the cited quotes only, so a wrong citation supports nothing."""
    assert judge("EigenGame needs no central server.", [QUOTE]).label == "unsupported"
