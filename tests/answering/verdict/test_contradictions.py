"""Contradictions that words alone show."""

import pytest

from rag_qa.answering.verdict.contradictions import Contrast, contrasts, restates

SOURCE = (
    "EigenGame finds the top components without orthogonalisation, and it does not need a central server."
)
RESULT = "The network reaches 85% on ImageNet and 90% on CIFAR after training."


@pytest.mark.parametrize(
    ("sentence", "source", "found"),
    [
        ("EigenGame does need a central server.", SOURCE, Contrast("negation", "", "not")),
        (
            "The loss doesn\u2019t converge here.",
            "The loss does converge here.",
            Contrast("negation", "not", ""),
        ),
        ("The model cannot see colours.", "The model can see colours.", Contrast("negation", "not", "")),
        (
            "The model is robust.",
            "We do not claim that the model is robust.",
            Contrast("negation", "", "not"),
        ),
        (
            "Dropout decreases test error.",
            "Dropout increases test error.",
            Contrast("opposite", "decreases", "increases"),
        ),
        ("On noisy data A is worse.", "On noisy data A is better.", Contrast("opposite", "worse", "better")),
        (
            "It uses more memory than BERT.",
            "It uses less memory than BERT.",
            Contrast("opposite", "more", "less"),
        ),
        ("It reaches 90% on ImageNet after training.", RESULT, None),
        (
            "The network reaches 90% on ImageNet and 85% on CIFAR after training.",
            RESULT,
            Contrast("number", "90", "85"),
        ),
        (
            "Dropout reaches 85% on ImageNet.",
            "ReLU reaches 85% on ImageNet.",
            Contrast("subject", "Dropout", "ReLU"),
        ),
        (
            "It beats them by 16 to 4 points.",
            "It beats them by 4 to 16 points.",
            Contrast("number", "16", "4"),
        ),
    ],
)
def test_contradictions_are_found(sentence, source, found):
    """A negation on one side, an opposite, and a number in another's place are found, each with its words."""
    assert found in contrasts(sentence, [source]) if found else not contrasts(sentence, [source])


@pytest.mark.parametrize(
    ("sentence", "source"),
    [
        (SOURCE, SOURCE),
        ("A central server is not needed by EigenGame.", SOURCE),
        ("EigenGame finds the top components.", SOURCE),
        ("It is not faster than the old method.", "It is slower than the old method."),
        ("The method is not only fast but accurate.", "The method is fast but accurate."),
        ("CIFAR: 90%, ImageNet: 85%.", RESULT),
        ("Song No. 3 is popular in Canada.", "In Canada, song 3 is popular."),
        ("Cats purr in spring.", "Engines do not sleep in winter."),
        ("", ""),
    ],
)
def test_agreement_has_no_contrast(sentence, source):
    """Another order, a double turn and another matter contradict nothing."""
    assert contrasts(sentence, [source]) == []


def test_one_source_that_agrees_is_enough():
    """If one sentence of the source agrees, another that says the contrary is no contradiction."""
    sources = ["The small model is faster on phones.", "The small model is not faster on phones."]
    assert contrasts("The small model is faster on phones.", sources) == []


@pytest.mark.parametrize(
    ("sentence", "says"),
    [
        ("Data whitening can stop a network from learning.", True),
        ("Data whitening can not stop a network from learning.", False),
        ("Whitening never stops networks from learning.", False),
        ("Data whitening can stop a network from learning anything.", None),
        ("It does.", None),
        ("", None),
    ],
)
def test_a_sentence_that_restates_a_question_affirms_or_denies_it(sentence, says):
    """One in the question's words says yes or no to it; one with words of its own says something else."""
    assert restates(sentence, "Is it true that whitening data can stop a network from learning?") is says
