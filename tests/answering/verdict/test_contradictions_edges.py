"""The edges of contradictions: what counts as one clause, one matter, and one number's surroundings."""

import pytest

from rag_qa.answering.verdict.contradictions import Contrast, clauses, contrasts, directions, is_negated


def kinds(sentence, *sources):
    return [contrast.kind for contrast in contrasts(sentence, sources)]


@pytest.mark.parametrize(
    ("text", "negated"),
    [
        ("The small model is fast; the large model is not slow.", [False, True]),
        ("The small model is fast, but the large model is not slow.", [False, True]),
        ("The small model is fast whereas the large model is not slow.", [False, True]),
        ("The model of 1,000 layers is not slow.", [True]),
        ("The model trains without labels.", [False, True]),
        ("The model does not fail on images.", [False]),
        ("Yes, the small model is not slow.", [True]),
        ("The small model isn't slow.", [True]),
        ("The small model can't see colours.", [True]),
        ("The small model cannot see colours.", [True]),
        ("Not only the small model learns colours.", [False]),
        ("No fewer than three models learn colours.", [False]),
        ("Song no. 3 has three verses.", [False]),
        ("No model learns colours.", [True]),
        ("", []),
        ("It is.", []),
    ],
)
def test_a_clause_is_denied_by_its_own_words_alone(text, negated):
    """A mark or a conjunction parts clauses if both say something; two denials of one clause cancel out."""
    assert [clause.negated for clause in clauses(text)] == negated


def test_a_clause_keeps_its_words():
    """A clause gives its text, and its denials in small letters."""
    (clause,) = clauses("The model does NOT learn colours.")
    assert (clause.text, clause.negations) == ("The model does NOT learn colours.", ("not",))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("It isn\u2019t so.", True),
        ("The effect is unrelated to age.", True),
        ("There is LITTLE evidence.", True),
        ("A notable effect.", False),
        ("", False),
    ],
)
def test_a_denial_in_any_way_is_seen(text, said):
    """Negations, contractions and words such as "unrelated" deny; parts of words do not."""
    assert is_negated(text) is said


def test_no_word_points_both_ways():
    """No stem stands for up and for down."""
    up, down = directions()
    assert up
    assert down
    assert not up & down


@pytest.mark.parametrize(
    ("sentence", "source", "found"),
    [
        ("Dropout increases test error.", "Dropout does not decrease test error.", []),
        ("Dropout does not increase test error.", "Dropout decreases test error.", []),
        ("Dropout does not increase test error.", "Dropout increases test error.", ["negation"]),
        ("Dropout does not decrease test error.", "Dropout does not increase test error.", ["opposite"]),
        ("The upper bound is tight.", "The lower bound is tight.", ["opposite"]),
        ("It runs before the merger.", "It runs after the merger.", ["opposite"]),
        ("Dropout increases test error.", "Rain increases rice harvests in southern valleys.", []),
        ("The method is fast.", "Slow is what critics call each rival method of the last twenty years.", []),
    ],
)
def test_an_opposite_contradicts_unless_one_side_is_denied(sentence, source, found):
    """Opposite words about one matter contradict; with a denial on one side they say the same again."""
    assert kinds(sentence, source) == found


def test_each_contrast_is_given_once():
    """Two sources that contradict a sentence alike give one contrast."""
    source = "Dropout increases test error."
    assert contrasts("Dropout decreases test error.", [source, source]) == [
        Contrast("opposite", "decreases", "increases")
    ]


@pytest.mark.parametrize(
    ("sentence", "source", "found"),
    [
        (
            "It reaches 90% on the test set.",
            "It reaches 85% on the test set.",
            [Contrast("number", "90", "85")],
        ),
        ("It reaches 90% on the test set.", "It reaches 90% on the test set, and 85% on the rest.", []),
        ("It reaches 90% on photographs.", "They paid 85% for paintings.", []),
        ("It reaches ninety points on the test set.", "It reaches 90 points on the test set.", []),
        ("It reaches 90% on the test set.", "It reaches the test set.", []),
        ("Cells grew 5 days.", "Cells grew 7 days.", [Contrast("number", "5", "7")]),
        ("Grew 5 days.", "Grew 7 days.", []),
        ("5 red wool scarves", "7 red wool scarves", [Contrast("number", "5", "7")]),
        ("3 of 5 trials", "3 of 7 trials", []),
    ],
)
def test_a_number_is_compared_where_its_surroundings_are_equal(sentence, source, found):
    """Three equal words around it make another number a contrast; the number itself in the source is none."""
    assert [contrast for contrast in contrasts(sentence, [source]) if contrast.kind == "number"] == found


@pytest.mark.parametrize(
    ("sentence", "source", "found"),
    [
        ("Dropout reaches high accuracy on speech.", "Pruning reaches high accuracy on speech.", True),
        (
            "Dropout reaches high accuracy on speech.",
            "With dropout, nets reach high accuracy on speech.",
            False,
        ),
        ("Dropout reaches high accuracy on speech.", "Pruning harms the colours of old paintings.", False),
        ("The net reaches high accuracy on speech.", "Pruning reaches high accuracy on speech.", False),
        ("Dropout.", "Pruning.", False),
    ],
)
def test_another_opening_word_is_another_subject(sentence, source, found):
    """In mostly the same words another first word is a contrast, unless the source names the sentence's too."""
    assert ("subject" in kinds(sentence, source)) is found


def test_initials_are_the_same_subject():
    """An abbreviation of the source's own words is no other subject."""
    source = "Principal component analysis finds directions of high variance in data."
    assert "subject" not in kinds("PCA finds directions of high variance in data.", source)
