"""What an indexing run embeds and stores."""

from itertools import pairwise

import pytest

from rag_qa import RagQAError
from rag_qa.errors import BackendError
from rag_qa.testing import HashingEmbedder


@pytest.mark.slow
def test_more_rows_than_chroma_takes_at_once(library, world):
    """More passages than Chroma takes in one batch (5,461) are all stored and found."""
    library.write(*world.made_up(range(6000)))
    assert library.build().papers == 6000
    index = library.open()
    assert len(index.vectors) == index.manifest.counts.passages >= 6000
    rows, vectors = index.passage_vectors(["p00000", "p02999", "p05999"])
    found = [index.vectors.search(vector, 1)[0][0] for vector in vectors]
    assert found == [row.id for row in rows]
    index.close()


def test_long_abstracts_are_cut_and_covered(library):
    """An abstract longer than the embedder takes becomes passages that cover it."""
    abstract = " ".join(
        f"Sentence number {n} says something of its own about topic {n * 7}." for n in range(60)
    )
    library.embedder = HashingEmbedder(max_tokens=64)
    library.write({"id": "long", "title": "Long", "abstract": abstract})
    library.build()
    assert max(library.embedder.count_tokens(library.embedder.encoded)) <= 64
    index = library.open()
    rows, _ = index.passage_vectors(["long"])
    assert len(rows) > 5
    assert (rows[0].start, rows[-1].end) == (0, len(abstract))
    assert all(a.end + 1 >= b.start for a, b in pairwise(rows))
    index.close()


def test_an_embedder_that_returns_nonsense_is_an_error(library, world):
    """Vectors that are not finite are refused before they are stored."""

    class Broken(HashingEmbedder):
        def encode(self, texts, *, role):
            return super().encode(texts, role=role) * float("nan")

    library.write(world.GAMES)
    with pytest.raises(BackendError, match="finite"):
        library.build(embedder=Broken())
    assert library.build().embedded == 1


def test_an_embedder_in_double_precision_is_stored_in_single(library, world):
    """An embedder that returns float64 gives the same index."""

    class Double(HashingEmbedder):
        def encode(self, texts, *, role):
            return super().encode(texts, role=role).astype("float64")

    library.write(world.GAMES)
    library.build(embedder=Double())
    index = library.open()
    assert index.passage_vectors(["games"])[1].shape == (1, 64)
    index.close()


def test_interruption_keeps_what_was_embedded(library, world, monkeypatch):
    """A run that fails half-way keeps its finished batches, and the next one embeds only the rest."""
    monkeypatch.setattr("rag_qa.index.builder.EMBED_CHUNK", 10)

    class Failing(HashingEmbedder):
        def encode(self, texts, *, role):
            if len(self.encoded) >= 20:
                raise KeyboardInterrupt
            return super().encode(texts, role=role)

    library.write(*world.made_up(range(35)))
    with pytest.raises(KeyboardInterrupt):
        library.build(embedder=Failing())
    with pytest.raises(RagQAError, match="no finished index"):
        library.open()
    assert library.counts(library.build(), "added", "embedded") == [35, 15]
