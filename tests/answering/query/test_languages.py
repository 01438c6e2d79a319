"""If nothing is found for a question in another language, the embedder is named as the reason."""

import pytest

from rag_qa.answering.query.languages import language_note


@pytest.mark.parametrize(
    "question",
    [
        "图神经网络如何预测水温？",
        "Как быстро остывает чай?",
        "Wie schnell kühlt Tee ab?",
        "¿Qué es la lana?",
        "お茶はどう冷めるか",
        "Was zeigt die Studie über Honig?",
        "Les effets du miel sur la toux",
        "efectos de la miel en la tos",
    ],
)
def test_a_foreign_question_gets_a_note_on_the_embedder(question):
    """Another script, or a question word or two small words of another language, are enough."""
    assert "reads English" in language_note(question, "all-MiniLM-L6-v2")
    assert not language_note(question, "some-multilingual-model")


@pytest.mark.parametrize(
    "question",
    [
        "How does tea cool?",
        "graph neural networks",
        "Who studied Эрмитаж?",
        "What is Erdős known for?",
        "CO₂ in cellars",
        "van der Waals forces",
        "Has de novo synthesis in La Paz been studied?",
        "",
    ],
)
def test_an_english_question_is_not(question):
    """Keywords, foreign names and symbols are English enough."""
    assert language_note(question, "all-MiniLM-L6-v2") == ""
