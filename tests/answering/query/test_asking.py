"""Asking: the type of answer that a question wants, and the attribute that it asks after."""

import pytest

from rag_qa.answering.query.asking import asked


@pytest.mark.parametrize(
    ("question", "kind", "attribute"),
    [
        ("Which papers discuss tidal power?", "papers", ""),
        ("How many bees live in the hive?", "number", "bees live"),
        ("What learning rate did the TideNet authors use?", "number", "learning rate"),
        ("What percentage of hives survive?", "number", "percentage"),
        ("TideNet batch size", "number", "batch size"),
        ("How large is the harbour?", "number", ""),
        ("How common are storms?", "number", ""),
        ("Did the dam hold for three months?", "yes or no", ""),
        ("In winter, do bees sleep?", "yes or no", ""),
        ("Why do tides turn?", "reason", ""),
        ("Which dataset was used for the tides?", "name", "dataset"),
        ("What is the shape of the hive?", "name", "shape"),
        ("Who built the dam?", "name", ""),
        ("How was the dam built?", "manner", ""),
        ("tidal power in estuaries", "open", ""),
    ],
)
def test_type_and_attribute(question, kind, attribute):
    """The words of a question say what type its answer is of, and which attribute it asks after."""
    found = asked(question)
    assert (found.type, found.attribute) == (kind, attribute)


def test_an_attribute_is_short():
    """Of a long run of content words only the first few are the attribute."""
    assert len(asked("what deep blue quiet cold harbour water level").attribute.split()) == 4
