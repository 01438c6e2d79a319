"""What a verdict is read from, feature by feature."""

import pytest

from rag_qa.answering.verdict.features import COMPARED, compare, parts, source_sentences
from rag_qa.testing import HashingEmbedder
from rag_qa.text.words import abbreviates

SOURCE = "Dropout reduces overfitting of large networks on speech and images."


def features(sentence, *evidence, embedder=None, **around):
    return compare(sentence, evidence or (SOURCE,), embedder, **around).features


def test_coverage_and_bigrams_are_shares():
    """Shares of content words and of bigrams go from none to all, in any inflection."""
    assert features("Bees dance.").coverage == features("Bees dance.").bigrams == 0
    assert features("Overfitting of large networks").coverage == 1
    assert features("Overfitting of large networks").bigrams == 1
    assert features("Large bees").coverage == 0.5
    assert features("Networking").coverage == 1


def test_words_of_the_title_and_the_question_are_known():
    """An answer repeats what it was asked and what its source is about."""
    said = "Hinton says dropout reduces overfitting of perceptrons."
    alone, asked = features(said), features(said, question="What does Hinton say of perceptrons?")
    titled = features(said, context=["Perceptrons by Hinton"])
    assert alone.coverage < asked.coverage == 1
    assert alone.coverage < titled.coverage < 1
    assert (alone.names, asked.names, titled.names) == (0, 0, 0)


@pytest.mark.parametrize("said", ["Penguins swim.", "Penguins swim in cold water.", "Zebra zebra zebra."])
def test_a_sentence_in_the_words_of_the_question_alone_says_nothing(said):
    """Words of the question and of titles count only for a sentence that has one word, at least, of its evidence."""
    around = {"question": "Do penguins swim in cold water like a zebra?", "context": ["Penguins that swim"]}
    assert features(said, **around).coverage == 0
    assert features(f"{said} Dropout does.", **around).coverage > 0


def test_similarities_come_from_the_embedder():
    """With an embedder a like sentence is more explained than another; without one the features are 0."""
    like, unlike = (features(s, embedder=HashingEmbedder()) for s in (SOURCE.upper(), "Bees dance."))
    assert like.explained == pytest.approx(1, abs=1e-3)
    assert like.explained > unlike.explained
    assert like.part_similarity > unlike.part_similarity
    assert features(SOURCE).explained == features(SOURCE).part_similarity == 0


def test_the_worst_part_counts():
    """A sentence with one foreign clause has a low part similarity, though most of it is known."""
    foreign = "Dropout reduces overfitting of large networks, while penguins swim in cold water"
    embedder = HashingEmbedder()
    assert (
        features(foreign, embedder=embedder).part_similarity
        < features(SOURCE, embedder=embedder).part_similarity
    )


def test_what_is_missing_is_counted_and_named():
    """Numbers, names and codes that the source lacks are counted, up to a bound, and kept for the reasons."""
    found = compare("With 5% on 7 and 9 sets, Adam by Kingma beats BERT and SGD.", [SOURCE], None)
    assert (found.features.numbers, found.features.names, found.features.codes) == (2, 2, 2)
    assert [str(q) for q in found.quantities] == ["5%", "7", "9"]
    assert (found.names, found.codes) == (("Adam", "Kingma"), ("BERT", "SGD"))


def test_directions_are_compared_with_the_nearest_sentences():
    """A direction that the source turns round is opposed; one that it shares agrees."""
    turned, shared = features("Dropout enhances networks."), features("Dropout lessens overfitting.")
    assert (turned.opposed, turned.agreement < 0) == (0, False)  # "large" goes up as well
    assert features("It grows.", "It shrinks.").opposed == 1
    assert features("It grows.", "It shrinks.").agreement == -1
    assert features("It shrinks.", "It declines.").agreement == 1
    assert shared.opposed == 0


def test_denials_are_distinguished_from_denied_sources():
    """A negation in the sentence is a denial, and denied if the nearest sentence has one too."""
    alone, both = features("It is unrelated."), features("It doesn't help.", "It cannot help.")
    assert (alone.denial, alone.denied) == (1, 0)
    assert (both.denial, both.denied) == (1, 1)
    assert features("It helps.", "It cannot help.").denial == 0


def test_long_evidence_is_cut_to_the_nearest_sentences():
    """Of long evidence the sentences that share most words are compared, in their order."""
    many = " ".join(f"Sentence number {n} is about soup." for n in range(40))
    kept = source_sentences("Dropout reduces overfitting.", [f"{many} {SOURCE}"])
    assert len(kept) == COMPARED
    assert kept[-1] == SOURCE


def test_parts_are_clauses():
    """Parts are split at clause marks; short ones stay with the one before, and a plain sentence is one part."""
    assert parts("It reads the words, too, but it writes no longer texts.") == [
        "It reads the words too",
        "it writes no longer texts",
    ]
    assert parts("It reads.") == ["It reads."]


@pytest.mark.parametrize(
    ("name", "text", "known"),
    [
        ("PCA", "principal component analysis", True),
        ("CNNs", "a convolutional neural network", True),
        ("SOTA", "state of the art", True),
        ("SOA", "the state of art", True),
        ("GAN", "principal component analysis", False),
        ("A", "analysis", False),
    ],
)
def test_initials_are_known(name, text, known):
    """A name that is the initials of words in a row is known by them; a single letter never is."""
    assert abbreviates(name, text) == known
