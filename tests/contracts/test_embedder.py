"""What every embedder keeps to: one suite, run against the fake, sentence-transformers, ONNX Runtime, and both."""

import numpy as np
import pytest

from rag_qa.backends.embedding import find_embedder, open_embedder, open_sentence_embedder
from rag_qa.backends.light_embedder import LightEmbedder
from rag_qa.backends.sentence_embedder import SentenceTransformerEmbedder
from rag_qa.protocols import Embedder
from rag_qa.settings import Settings
from rag_qa.testing import HashingEmbedder

TEXTS = [
    "Eigenvectors are players in a game.",
    "Soup.",
    "A much longer text, whose words go on for a while so that a batch of texts holds very different lengths.",
    "Ünïcödé 漢字 and $\\alpha^2$.",
    "Bees dance.",
]
TOLERANCE = 1e-3


OPENED = {
    "hashing": HashingEmbedder,
    "sentence-transformers": lambda: open_sentence_embedder(Settings(embed_batch=2)),
    "ONNX Runtime": lambda: LightEmbedder(*find_embedder(Settings())),
    "both": lambda: open_embedder(Settings(embed_batch=2)),
}


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=[] if name == "hashing" else pytest.mark.model) for name in OPENED],
)
def embedder(request: pytest.FixtureRequest) -> Embedder:
    """The embedder under test."""
    return OPENED[request.param]()


@pytest.mark.parametrize("role", ["query", "document", "sentence"])
def test_vectors_have_shape_type_and_unit_norm(embedder, role):
    """Vectors are float32, one a text, of the dimension in the spec, and of length one."""
    vectors = embedder.encode(TEXTS, role=role)
    assert vectors.shape == (len(TEXTS), embedder.spec.dimension)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=TOLERANCE)


def test_order_is_kept_whatever_the_lengths(embedder):
    """Each text's vector stands at the text's place, though batches are sorted by length inside."""
    vectors = embedder.encode(TEXTS, role="document")
    backwards = embedder.encode(TEXTS[::-1], role="document")
    np.testing.assert_allclose(backwards[::-1] @ vectors.T, vectors @ vectors.T, atol=0.02)
    assert (np.argmax(backwards[::-1] @ vectors.T, axis=1) == np.arange(len(TEXTS))).all()


def test_batch_does_not_change_a_vector(embedder):
    """A text alone and the same text among others have one direction, up to .001 in cosine."""
    among = embedder.encode(TEXTS, role="document")
    alone = np.concatenate([embedder.encode([text], role="document") for text in TEXTS])
    np.testing.assert_allclose((among * alone).sum(axis=1), 1, atol=TOLERANCE)


def test_same_text_gives_the_same_vector(embedder):
    """Encoding is deterministic, and equal texts are equal."""
    first, second = (embedder.encode([TEXTS[0], TEXTS[0]], role="document") for _ in range(2))
    np.testing.assert_allclose(first, second, atol=TOLERANCE)
    np.testing.assert_allclose(first[0], first[1], atol=TOLERANCE)


def test_shared_words_make_texts_near(embedder):
    """A question is nearer to the text that it is about than to others."""
    (query,) = embedder.encode(["eigenvectors as players in a game"], role="query")
    similarities = embedder.encode(TEXTS, role="document") @ query
    assert np.argmax(similarities) == 0


@pytest.mark.parametrize("role", ["query", "document", "sentence"])
def test_no_texts_give_no_vectors(embedder, role):
    """No texts give an array of shape (0, dimension)."""
    vectors = embedder.encode([], role=role)
    assert vectors.shape == (0, embedder.spec.dimension)
    assert vectors.dtype == np.float32


@pytest.mark.parametrize("blank", ["", "  ", "\n\t"])
def test_blank_text_is_refused(embedder, blank):
    """A blank text has no meaning to embed: ValueError, also among others."""
    for texts in ([blank], [*TEXTS, blank]):
        with pytest.raises(ValueError, match="blank"):
            embedder.encode(texts, role="document")


@pytest.mark.parametrize("role", ["query", "document", "sentence"])
def test_tokens_have_vectors_and_places(embedder, role):
    """Each token has a unit vector and its place in the text, in order; beside them stands the text's own vector."""
    encodings = embedder.encode_tokens(TEXTS, role=role)
    whole = embedder.encode(TEXTS, role=role)
    for text, vector, encoding in zip(TEXTS, whole, encodings, strict=True):
        assert encoding.tokens.ndim == 2
        assert len(encoding.tokens) == len(encoding.spans)
        np.testing.assert_allclose(np.linalg.norm(encoding.tokens, axis=1), 1, atol=TOLERANCE)
        np.testing.assert_allclose(encoding.vector @ vector, 1, atol=TOLERANCE)
        starts, ends = encoding.spans.T
        assert (starts < ends).all()
        assert (starts[1:] >= ends[:-1]).all()
        assert ends[-1] <= len(text)
    (soup,) = (TEXTS[1][start:end] for start, end in encodings[1].spans[:1])
    assert soup == "Soup"


def test_a_word_is_most_like_itself_in_another_text(embedder):
    """The nearest token of a text that shares a word is that word."""
    one, other = embedder.encode_tokens(["Games have players.", "The players are vectors."], role="document")
    nearest = other.spans[np.argmax(one.tokens[2] @ other.tokens.T)]
    assert tuple(nearest) == (4, 11)


def test_texts_without_tokens_stand_for_themselves(embedder):
    """A text of characters that mean nothing has one token, itself; no texts have none; a blank one is refused."""
    (encoding,) = embedder.encode_tokens(["\u200b\u200d"], role="document")
    assert len(encoding.tokens) == 1
    assert encoding.spans.tolist() == [[0, 2]]
    assert embedder.encode_tokens([], role="query") == []
    with pytest.raises(ValueError, match="blank"):
        embedder.encode_tokens([" "], role="query")


def test_tokens_of_a_text_that_is_too_long_are_those_of_its_beginning(embedder):
    """What the model does not take has no vectors."""
    (encoding,) = embedder.encode_tokens(["word " * embedder.spec.max_tokens * 2], role="document")
    assert encoding.spans[0].tolist() == [0, 4]
    assert len(encoding.spans) == len(encoding.tokens)


def test_tokens_are_counted_with_special_ones(embedder):
    """A text has at least as many tokens as words; special tokens count, so that no text has none."""
    counts = embedder.count_tokens(TEXTS)
    assert all(count >= len(text.split()) for count, text in zip(counts, TEXTS, strict=True))
    assert embedder.count_tokens([]) == []
    (empty,) = embedder.count_tokens([""])
    assert empty == 2


def test_tokens_of_long_texts_are_counted_whole(embedder):
    """A text longer than the model takes is counted to its end: what cuts texts must see how long they are."""
    words = embedder.spec.max_tokens * 3
    (count,) = embedder.count_tokens(["word " * words])
    assert count >= words


def test_spec_describes_it(embedder):
    """The spec names the model and the hash of its weights, and stays the same."""
    spec = embedder.spec
    assert spec == embedder.spec
    assert spec.name
    assert len(spec.weights_sha256) == 64
    assert spec.normalized
    assert min(spec.dimension, spec.max_tokens) > 0


@pytest.mark.model
def test_bfloat16_agrees_with_float32():
    """The attention that bfloat16 uses on a CPU is the model's own: vectors agree to .999, padded or not."""
    slow, fast = (
        open_sentence_embedder(Settings(embedder_dtype=dtype)).encode(TEXTS, role="document")
        for dtype in ("float32", "bfloat16")
    )
    np.testing.assert_allclose((slow * fast).sum(axis=1), 1, atol=TOLERANCE)


@pytest.mark.model
@pytest.mark.parametrize("kind", [SentenceTransformerEmbedder, LightEmbedder])
def test_a_prompt_is_no_part_of_the_text(kind):
    """The tokens of a prompt are left out, and those of the text stand where they do without it."""
    folder, spec = find_embedder(Settings())
    plain, prompted = (
        kind(folder, spec.model_copy(update={"query_prompt": prompt})) for prompt in ("", "query: ")
    )
    (one,), (other,) = (e.encode_tokens([TEXTS[0]], role="query") for e in (plain, prompted))
    assert one.spans.tolist() == other.spans.tolist()
    assert not np.allclose(one.vector, other.vector, atol=TOLERANCE)
