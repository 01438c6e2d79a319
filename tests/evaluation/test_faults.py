"""Faults that are put into true sentences."""

import pytest

from eval.studies.faults import (
    Claim,
    Rate,
    change_number,
    detections,
    exchange_numbers,
    false_alarms,
    flip_direction,
    flip_negation,
    inject,
    paraphrase,
    paraphrased,
)
from rag_qa.types import Verdict

GAME = "Our game is faster and reaches 95% on 3 sets."
SOUP = "Soup is not served cold."
CLAIMS = [
    Claim(paper_id="game", sentence=GAME, evidence=(GAME,)),
    Claim(paper_id="soup", sentence=SOUP, evidence=(SOUP,)),
]


def says(label):
    return lambda sentence, evidence: Verdict(label=label, probability=0.5)


def test_every_fault_that_fits_is_made_and_the_same_twice():
    """Each claim gets the faults that it lends itself to, by the seed alone."""
    faults = inject(CLAIMS, seed=1)
    assert [fault.kind for fault in faults] == [
        "number changed",
        "numbers exchanged",
        "negation flipped",
        "direction flipped",
        "other paper",
        "nearest other paper",
        "no evidence",
        "negation flipped",
        "other paper",
        "nearest other paper",
        "no evidence",
    ]
    assert faults == inject(CLAIMS, seed=1)
    assert faults[4].evidence == faults[5].evidence == (SOUP,)
    assert faults[6].evidence == ()


def test_a_changed_number_is_not_in_the_evidence():
    """The number put in is another one, and one that the evidence does not hold."""
    import random

    for seed in range(30):
        changed = change_number(GAME, [GAME], random.Random(seed))
        assert changed != GAME
        assert len({*changed.split()} - {*GAME.split()}) == 1
    assert change_number("No number here.", [], random.Random(0)) is None


@pytest.mark.parametrize(
    ("fault", "before", "after"),
    [
        (exchange_numbers, GAME, "Our game is faster and reaches 3% on 95 sets."),
        (exchange_numbers, "5 and 5.", None),
        (flip_negation, SOUP, "Soup is served cold."),
        (flip_negation, "It cannot swim.", "It can swim."),
        (flip_negation, "It was trained.", "It was not trained."),
        (flip_negation, "We train nets.", "We do not train nets."),
        (flip_negation, "Nets learn.", None),
        (flip_direction, "It is better.", "It is worse."),
        (flip_direction, "It increases loss.", "It decreases loss."),
        (flip_direction, "It is blue.", None),
        (paraphrase, "However, we show that 3% help.", "It is shown that 3 percent help."),
        (paraphrase, "In such tasks, dropout uses noise.", "Dropout employs noise, in such tasks."),
        (paraphrase, "Bees dance.", None),
    ],
)
def test_sentences_are_changed_by_rule(fault, before, after):
    """Each rule makes one change, or none if the sentence does not lend itself to it."""
    assert fault(before) == after


def test_paraphrases_keep_their_evidence():
    """Only claims that have a paraphrase come back, with the evidence that they had."""
    bees = Claim(paper_id="bees", sentence="Bees dance.", evidence=("Bees dance.",))
    (changed,) = paraphrased([CLAIMS[0], bees])
    assert changed.sentence == "Their game is faster and attains 95 percent on 3 sets."
    assert changed.evidence == (GAME,)


def test_rates_count_what_is_not_supported():
    """A fault counts as found, and a true claim as a false alarm, if the label is not supported."""
    faults = inject(CLAIMS)
    assert all(rate.share == 1 for rate in detections(says("partial"), faults).values())
    assert all(rate.share == 0 for rate in detections(says("supported"), faults).values())
    assert false_alarms(says("unsupported"), CLAIMS) == Rate(2, 2)
    assert Rate(0, 0).share == 0
