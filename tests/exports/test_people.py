"""Names in parts."""

import pytest

from rag_qa.exports.people import Person, family_first, read_person


@pytest.mark.parametrize(
    ("name", "person"),
    [
        ("Ian Gemp", Person("Ian", "", "Gemp")),
        ("Laurens van der Maaten", Person("Laurens", "van der", "Maaten")),
        ("Luc Van Gool", Person("Luc", "", "Van Gool")),
        ("Martin Luther King Jr.", Person("Martin Luther", "", "King", "Jr.")),
        ("Ana de la Cruz III", Person("Ana", "de la", "Cruz", "III")),
        ("Plato", Person(literal="Plato")),
        ("The ATLAS Collaboration", Person(literal="The ATLAS Collaboration")),
        ("Knit, Purl and Sew, Inc.", Person(literal="Knit, Purl and Sew, Inc.")),
        ("Anne and Bob Lee", Person(literal="Anne and Bob Lee")),
        ("van Gogh", Person("van", "", "Gogh")),
    ],
)
def test_names_are_parted(name, person):
    """Particles, suffixes and groups are recognised; a name without parts is a literal."""
    assert read_person(name) == person


def test_family_first():
    """RIS has the family name with its particle first, and the suffix last."""
    assert family_first(read_person("Martin Luther King Jr.")) == "King, Martin Luther, Jr."
    assert family_first(read_person("Laurens van der Maaten")) == "van der Maaten, Laurens"
    assert family_first(read_person("Plato")) == "Plato"
