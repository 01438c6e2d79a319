"""Numbers and their units."""

import pytest

from rag_qa.text.quantities import Quantity, numbers, quantities, unseen


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("12,000 and 4.5.", {"12000", "4.5"}),
        ("twelve models, Twenty-five layers", {"12", "25"}),
        ("76.30 is 76.3, and 2.0 is 2", {"76.3", "2"}),
        ("version 1.2.0", {"1.2.0"}),
        ("two million, several million", {"2", "million"}),
        ("marks [7] and [1, 2]", set()),
        ("C3 and GPT4 are names, ResNet-50 has a number", {"50"}),
        ("no one", set()),
    ],
)
def test_numbers_are_read_as_digits(text, found):
    """Numbers are compared in digits, without separators, marks and the digits of names."""
    assert numbers(text) == found


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("5 ms", "ms"),
        ("5 milliseconds", "ms"),
        ("45\\%", "%"),
        ("45 percent", "%"),
        ("5 dogs", "things"),
        ("5 points", ""),
        ("5 across", ""),
        ("5 dog years", ""),
        ("5", ""),
    ],
)
def test_units_have_one_spelling(text, unit):
    """A unit is known by any of its spellings; of other words, only a plural is taken for what is counted."""
    assert [quantity.unit for quantity in quantities(text)] == [unit]


@pytest.mark.parametrize(
    ("sentence", "source", "lacking"),
    [
        ("It takes 5 ms.", "It takes 5 seconds.", ["5 ms"]),
        ("It takes 5 ms.", "It takes 5 on average.", []),
        ("It takes 5.", "It takes 5 seconds.", []),
        ("95% of 95%", "94 percent", ["95%"]),
        ("45 percent", "45%", []),
        ("It included 31 villages.", "an improvement of 31%", ["31"]),
        ("31% of them improved.", "31 villages improved", ["31%"]),
        ("It gains 5 points.", "a gain of 5%", []),
        ("It has 12 layers.", "a 12-layer network", []),
    ],
)
def test_what_the_source_lacks(sentence, source, lacking):
    """A number is unseen if the source lacks it or has it with another unit; each is returned once."""
    assert [str(q) for q in unseen(quantities(sentence), quantities(source))] == lacking


def test_a_quantity_reads_as_people_write_it():
    """A quantity is shown with its unit, a percentage without a space."""
    assert [str(q) for q in (Quantity("5", "%"), Quantity("5", "ms"), Quantity("5", ""))] == [
        "5%",
        "5 ms",
        "5",
    ]
