"""What a search ranks, and how."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_qa import build_index
from rag_qa.index.reader import Index
from rag_qa.retrieval.searching import WEIGHTS, Retriever, top
from rag_qa.testing import HashingEmbedder
from rag_qa.types import Paper

PAPERS = {
    "games": "Principal components are found by players in a game. Each player owns one vector.",
    "soup": "Salt the water before the onions go in. Stock is better than water, as every cook knows.",
    "bees": "A bee tells the others by a dance where flowers stand. The angle shows the direction.",
    "chess": "Chess is a game of two players. Its opening moves fill whole libraries of books.",
    "rivers": "Water carves valleys over thousands of years. Floods move more stones than quiet years.",
    "bread": "Flour and yeast rise overnight in a cold kitchen. An oven must be hot before the loaf goes in.",
}


def build(folder: Path, papers) -> Index:
    records = [{"id": key, "title": f"On {key}", "abstract": text} for key, text in papers.items()]
    (folder / "papers.jsonl").write_text("\n".join(map(json.dumps, records)))
    build_index([folder / "papers.jsonl"], folder / "index", embedder=HashingEmbedder())
    return Index.open(folder / "index")


@pytest.fixture
def index(tmp_path):
    """An index of six papers."""
    opened = build(tmp_path, PAPERS)
    yield opened
    opened.close()


@pytest.fixture
def retriever(index):
    """A retriever over six papers that considers them all."""
    return Retriever(index, HashingEmbedder(), pool=50)


def ids(hits):
    return [hit.paper.id for hit in hits]


def test_the_paper_that_speaks_of_it_comes_first(retriever):
    """Each paper is first for a query in its words, and ranks count from 1."""
    for key, text in PAPERS.items():
        hits = retriever.search(text.split(".")[0], 3)
        assert hits[0].paper.id == key
        assert [hit.rank for hit in hits] == [1, 2, 3]


def test_hits_carry_what_made_them(retriever):
    """Each hit has every component, a score between 0 and 1 that falls, and a verbatim passage."""
    hits = retriever.search("a game of players", 6)
    assert all(set(hit.components) == set(WEIGHTS) for hit in hits)
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert 0 <= scores[-1] <= scores[0] <= 1
    for hit in hits:
        assert hit.passage.paper_id == hit.paper.id
        assert hit.paper.abstract[hit.passage.start : hit.passage.end] == hit.passage.text


def test_components_are_what_they_say(retriever, index):
    """`dense` is the cosine of query and best passage, `lexical` the paper's BM25."""
    embedder = HashingEmbedder()
    query = embedder.encode(["game players"], role="query")[0]
    bm25 = index.lexical.scores("game players")
    for hit in retriever.search("game players", 6):
        rows, vectors = index.passage_vectors([hit.paper.id])
        assert hit.components["dense"] == pytest.approx(float(np.max(vectors @ query)), abs=1e-6)
        assert hit.components["lexical"] == pytest.approx(float(bm25[index.lexical.ordinals[hit.paper.id]]))
        assert hit.passage.id == rows[int(np.argmax(vectors @ query))].id


def test_feedback_finds_what_the_first_papers_are_like(tmp_path):
    """A paper that shares no word with the query but many with the first papers beats one that shares neither.

    Without feedback the two are alike to the query, and stand in order of their ids.
    """
    shared = "larvae pollen nectar hive swarm"
    papers = {f"first{n}": f"honey {shared} {word}" for n, word in enumerate(["comb", "queen", "drone"])}
    papers |= {"a stranger": "gravel asphalt kerb lorry junction lamp", "kin": f"{shared} wax"}
    opened = build(tmp_path, papers)
    last = {
        weight: ids(
            Retriever(opened, HashingEmbedder(), weights=WEIGHTS | {"feedback": weight}).search("honey", 5)
        )[3:]
        for weight in (0.0, 1.0)
    }
    opened.close()
    assert last == {0.0: ["a stranger", "kin"], 1.0: ["kin", "a stranger"]}


def test_neighbouring_words_count(tmp_path):
    """Of two papers with the same words, the one that has those of the query side by side comes first."""
    papers = {
        "a apart": "Gradient noise hurts. A policy helps. Nothing else is of note here.",
        "together": "A policy gradient helps. Noise hurts. Nothing else is of note here.",
    }
    opened = build(tmp_path, papers)
    hits = Retriever(opened, HashingEmbedder()).search("policy gradient", 2)
    opened.close()
    assert ids(hits) == ["together", "a apart"]
    assert [hit.components["pairs"] > 0 for hit in hits] == [True, False]


def test_the_asking_is_not_searched_for(index):
    """A question is embedded and matched without the words that only ask for papers."""
    embedder = HashingEmbedder()
    Retriever(index, embedder).search("Could you recommend papers that study water in valleys?", 3)
    assert embedder.encoded == ["water in valleys?"]


def test_a_misspelt_word_is_searched_for_as_the_papers_write_it(index):
    """A question is embedded and matched with the papers' word where it has a slip in it."""
    embedder = HashingEmbedder()
    hits = Retriever(index, embedder).search("pleyers of a game", 2)
    assert embedder.encoded == ["players of a game"]
    assert sorted(ids(hits)) == ["chess", "games"]


@pytest.mark.parametrize("key", PAPERS)
def test_similar_leaves_the_paper_out(retriever, index, key):
    """Papers like one of the index are all the others, best first, with components and verbatim passages."""
    hits = retriever.similar(index.paper(key), 10)
    assert sorted(ids(hits)) == sorted(PAPERS.keys() - {key})
    assert [hit.rank for hit in hits] == [1, 2, 3, 4, 5]
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert all(set(hit.components) == set(WEIGHTS) for hit in hits)
    assert all(hit.paper.abstract[hit.passage.start : hit.passage.end] == hit.passage.text for hit in hits)


def test_similar_finds_its_kind(retriever, index):
    """The two papers about games are like each other, as are the two about water."""
    pairs = [("games", "chess"), ("chess", "games"), ("rivers", "soup")]
    assert [(key, ids(retriever.similar(index.paper(key), 1))[0]) for key, _ in pairs] == pairs


def test_similar_to_a_stored_paper_embeds_nothing(index):
    """The vectors of a paper of the index are those stored; a paper from elsewhere is embedded as a document."""
    embedder = HashingEmbedder()
    retriever = Retriever(index, embedder)
    retriever.similar(index.paper("bees"), 3)
    assert embedder.encoded == []
    assert ids(retriever.similar(Paper(id="", title="Hives", abstract=PAPERS["bees"]), 6))[0] == "bees"
    assert embedder.encoded == [f"Hives. {PAPERS['bees']}"]


def test_similar_to_a_long_text(tmp_path):
    """A text longer than a passage is cut into several, which all count."""
    embedder = HashingEmbedder(max_tokens=40)
    opened = build(tmp_path, PAPERS)
    text = " ".join(PAPERS[key] for key in ("soup", "bread", "rivers"))
    hits = Retriever(opened, embedder).similar(Paper(id="", abstract=text), 3)
    opened.close()
    assert len(embedder.encoded) > 1
    assert sorted(ids(hits)) == ["bread", "rivers", "soup"]


def test_search_is_deterministic(retriever):
    """The same query gives the same hits again, scores included."""
    first = retriever.search("water game", 6)
    assert all(retriever.search("water game", 6) == first for _ in range(3))


def test_ties_are_broken_by_id(tmp_path):
    """Papers with equal scores come in the order of their ids."""
    words = ["apple", "grape", "lemon", "mango", "peach", "plum"]
    papers = {f"{number}": f"{word} {word}{word} orchard" for number, word in enumerate(words)}
    opened = build(tmp_path, dict(reversed(papers.items())))
    hits = Retriever(opened, HashingEmbedder(), pool=50).search("orchard", 6)
    opened.close()
    by_score = sorted(hits, key=lambda hit: (-hit.score, hit.paper.id))
    assert ids(hits) == ids(by_score)
    assert len({hit.score for hit in hits}) < len(hits) == 6


@pytest.mark.parametrize("pool", [10, 1])
def test_within_restricts_exactly(index, pool):
    """`within` gives just these papers, even those that neither component would have proposed."""
    retriever = Retriever(index, HashingEmbedder(), pool=pool)
    for wanted in (["soup"], ["bees", "soup"], list(PAPERS)):
        assert sorted(ids(retriever.search("a game of players", 10, within=wanted))) == sorted(wanted)
    assert retriever.search("a game of players", 10, within=[]) == []
    assert len(retriever.search("a game of players", 1, within=["bees", "soup"])) == 1


def test_within_takes_aliases_and_leaves_out_strangers(tmp_path):
    """`within` may name a paper twice, by an alias, or not at all among those of the index."""
    record = {"title": "On soup", "abstract": PAPERS["soup"], "doi": "10.1000/soup"}
    lines = [json.dumps({**record, "id": "soup"}), json.dumps({"id": "bees", "abstract": PAPERS["bees"]})]
    (tmp_path / "papers.jsonl").write_text("\n".join(lines))
    build_index([tmp_path / "papers.jsonl"], tmp_path / "index", embedder=HashingEmbedder())
    opened = Index.open(tmp_path / "index")
    retriever = Retriever(opened, HashingEmbedder(), pool=10)
    assert ids(retriever.search("game", 5, within=["doi:10.1000/soup", "soup", "nobody"])) == ["soup"]
    opened.close()


def test_k_larger_than_the_index(retriever):
    """Asking for more papers than there are gives all that there are."""
    assert sorted(ids(retriever.search("water", 1000))) == sorted(PAPERS)


@pytest.mark.parametrize(
    "query", ["the of and", "!?", "漢字", "zzz qqq", "a'; DROP TABLE papers; --", "x" * 5000]
)
def test_queries_without_a_known_word(retriever, query):
    """A query that shares no word with any paper still ranks them, by meaning alone."""
    hits = retriever.search(query, 3)
    assert len(hits) == 3
    assert all(hit.components["lexical"] == 0 for hit in hits)


def test_empty_index_finds_nothing(tmp_path):
    """A search of an index without papers finds nothing and embeds nothing."""
    opened = build(tmp_path, {})
    embedder = HashingEmbedder()
    retriever = Retriever(opened, embedder, pool=10)
    assert retriever.similar(Paper(id="", abstract="A game."), 5) == []
    assert retriever.search("game", 5) == []
    assert retriever.search("game", 5, within=["games"]) == []
    assert embedder.encoded == []
    opened.close()


def test_best_passage_of_a_long_paper(tmp_path):
    """A paper of many passages is found by one of them, once, with that passage."""
    filler = " ".join(f"Part {n} tells of mountain {n} and its weather." for n in range(60))
    embedder = HashingEmbedder(max_tokens=40)
    record = {"id": "long", "title": "Long", "abstract": f"{filler} Penguins dive deep. {filler.lower()}"}
    (tmp_path / "papers.jsonl").write_text(json.dumps(record))
    build_index([tmp_path / "papers.jsonl"], tmp_path / "index", embedder=embedder)
    opened = Index.open(tmp_path / "index")
    (hit,) = Retriever(opened, embedder, pool=10).search("penguins dive deep", 5)
    opened.close()
    assert "Penguins dive deep" in hit.passage.text


def test_a_query_is_embedded_once(index):
    """A search encodes its query and nothing else."""
    embedder = HashingEmbedder()
    Retriever(index, embedder, pool=10).search("water", 3)
    assert embedder.encoded == ["water"]


@pytest.mark.parametrize("query", ["game of players", "water", "stones and ovens"])
def test_the_graph_finds_what_the_exact_scan_finds(index, query):
    """On a small index Chroma's graph loses nothing: both ways of search give the same hits."""
    approximate = Retriever(index, HashingEmbedder(), pool=50, dense="hnsw").search(query, 6)
    exact = Retriever(index, HashingEmbedder(), dense="exact").search(query, 6)
    assert ids(approximate) == ids(exact)
    assert [hit.score for hit in approximate] == pytest.approx([hit.score for hit in exact])


@given(st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), max_size=30), st.integers(1, 40))
def test_top_is_a_stable_sort_cut_short(values, k):
    """The k best places are those that sorting everything gives, ties in order."""
    scores = np.array(values, dtype=np.float32)
    assert top(scores, k).tolist() == np.argsort(-scores, kind="stable")[:k].tolist()
