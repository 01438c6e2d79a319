"""What every reranker keeps to: one suite, run against the fake, a tiny cross-encoder and the language model."""

import math
from concurrent.futures import ThreadPoolExecutor

import pytest

from rag_qa.backends.likelihood import LikelihoodReranker
from rag_qa.backends.llama import open_generator
from rag_qa.backends.locating import STARTER
from rag_qa.backends.reranking import CrossEncoderReranker, open_reranker
from rag_qa.errors import BackendError, ModelNotFoundError
from rag_qa.protocols import Reranker
from rag_qa.settings import Settings
from rag_qa.testing import OverlapReranker

QUERY = "eigenvectors as players in a game"
TEXTS = [
    "Soup.",
    "Eigenvectors are players in a game. Each player maximises a utility.",
    "A much longer text, whose words go on for a while so that a batch of texts holds very different lengths.",
    "Ünïcödé 漢字 and $\\alpha^2$.",
    "Bees dance.",
]
TOLERANCE = 1e-3


@pytest.fixture(scope="module")
def cross_encoder_folder(tmp_path_factory, save_cross_encoder):
    """A folder with a tiny cross-encoder."""
    folder = tmp_path_factory.mktemp("cross-encoder")
    save_cross_encoder(folder, (QUERY, *TEXTS))
    return folder


@pytest.fixture(scope="module")
def cross_encoder(cross_encoder_folder) -> Reranker:
    """The tiny cross-encoder, with batches smaller than the texts are many."""
    return CrossEncoderReranker(cross_encoder_folder, name="tiny", device="cpu", batch_size=2)


@pytest.fixture(scope="module")
def likelihood() -> Reranker:
    """The starter language model as reranker, loaded once."""
    return LikelihoodReranker(open_generator(Settings(model=STARTER, context_tokens=512, threads=1)))


@pytest.fixture(
    params=[
        "overlap",
        pytest.param("cross_encoder", marks=pytest.mark.model),
        pytest.param("likelihood", marks=pytest.mark.model),
    ]
)
def reranker(request: pytest.FixtureRequest) -> Reranker:
    """The reranker under test."""
    return OverlapReranker() if request.param == "overlap" else request.getfixturevalue(request.param)


def test_each_text_has_a_finite_score(reranker):
    """There is one plain, finite number a text."""
    scores = reranker.score(QUERY, TEXTS)
    assert len(scores) == len(TEXTS)
    assert all(type(score) is float and math.isfinite(score) for score in scores)


def test_scores_stand_at_the_places_of_their_texts(reranker):
    """The order of the texts changes no score, and neither does the company of others."""
    scores = reranker.score(QUERY, TEXTS)
    assert list(reranker.score(QUERY, TEXTS[::-1])) == pytest.approx(scores[::-1], abs=TOLERANCE)
    alone = [score for text in TEXTS for score in reranker.score(QUERY, [text])]
    assert alone == pytest.approx(scores, abs=TOLERANCE)


def test_the_same_again(reranker):
    """Equal texts have equal scores, and a second call gives what the first gave."""
    scores = reranker.score(QUERY, [TEXTS[1], TEXTS[1]])
    assert scores[0] == pytest.approx(scores[1], abs=TOLERANCE)
    assert list(reranker.score(QUERY, [TEXTS[1], TEXTS[1]])) == pytest.approx(scores, abs=TOLERANCE)


def test_the_query_counts(reranker):
    """Another query gives other scores."""
    assert list(reranker.score(QUERY, TEXTS)) != pytest.approx(reranker.score("bees dance.", TEXTS))


def test_no_texts_have_no_scores(reranker):
    """Without texts there are no scores."""
    assert list(reranker.score(QUERY, [])) == []


@pytest.mark.parametrize("blank", ["", "  ", "\n\t"])
def test_blanks_are_refused(reranker, blank):
    """A blank text or query says nothing that could be scored: ValueError, also among others."""
    for query, texts in ((QUERY, [*TEXTS, blank]), (blank, TEXTS)):
        with pytest.raises(ValueError, match="blank"):
            reranker.score(query, texts)


def test_long_texts_and_queries_are_scored(reranker):
    """A text or query beyond what the model reads is scored by its beginning."""
    scores = reranker.score(QUERY, [TEXTS[1] + " and so on" * 2000, "word " * 5000])
    scores += reranker.score("a game of many players " * 400, [TEXTS[1]])
    assert all(math.isfinite(score) for score in scores)


def test_threads_take_turns(reranker):
    """Several threads may score at once; each gets what it would get alone."""
    queries = ["bees dance.", "soup.", QUERY, "a much longer text"]
    alone = [reranker.score(query, TEXTS) for query in queries]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda query: reranker.score(query, TEXTS), queries))
    for scores, expected in zip(together, alone, strict=True):
        assert list(scores) == pytest.approx(expected, abs=TOLERANCE)


def test_the_fake_prefers_shared_words():
    """The fake's score is the share of the query's words, whatever their case; it remembers the texts."""
    fake = OverlapReranker()
    assert fake.score("Game players", ["players", "a GAME of players", "soup"]) == [0.5, 1.0, 0.0]
    assert fake.scored == ["players", "a GAME of players", "soup"]


@pytest.mark.model
def test_a_folder_opens_a_cross_encoder(cross_encoder_folder):
    """The settings may name a folder; scores are the logits of the model in it."""
    from sentence_transformers import CrossEncoder
    from torch.nn import Identity

    opened = open_reranker(Settings(reranker=str(cross_encoder_folder), device="cpu"))
    assert isinstance(opened, CrossEncoderReranker)
    model = CrossEncoder(str(cross_encoder_folder), device="cpu", local_files_only=True)
    logits = model.predict([(QUERY, text) for text in TEXTS], activation_fn=Identity())
    assert opened.score(QUERY, TEXTS) == pytest.approx(logits.tolist(), abs=TOLERANCE)
    assert len({round(score, 4) for score in opened.score(QUERY, TEXTS)}) > 1


@pytest.mark.model
def test_only_so_many_tokens_are_read(cross_encoder_folder):
    """What lies beyond `max_tokens` of query and text changes no score; what lies before it does."""
    reranker = CrossEncoderReranker(cross_encoder_folder, name="short", device="cpu", max_tokens=16)
    one, other = (f"bees dance. {'soup. ' * 10}{end}" for end in ("players", "eigenvectors"))
    assert reranker.score(QUERY, [one]) == pytest.approx(reranker.score(QUERY, [other]), abs=1e-6)
    short = [one.removesuffix("players")[:18], "bees dance. players"]
    assert reranker.score(QUERY, short)[0] != pytest.approx(reranker.score(QUERY, short)[1], abs=1e-6)


@pytest.mark.model
def test_a_model_of_several_scores_is_told(tmp_path, save_cross_encoder):
    """A classifier with more than one score for a text is an error, and no reranker."""
    save_cross_encoder(tmp_path, (QUERY, *TEXTS), labels=("a", "b", "c"))
    with pytest.raises(BackendError, match="3 scores for a text"):
        CrossEncoderReranker(tmp_path, name="three").score(QUERY, TEXTS)


@pytest.mark.model
def test_a_broken_folder_is_told(tmp_path):
    """A folder whose files are no model raises BackendError that names it."""
    (tmp_path / "model.safetensors").write_bytes(b"nothing")
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    reranker = open_reranker(Settings(reranker=str(tmp_path)))
    with pytest.raises(BackendError, match="cannot be loaded"):
        reranker.score(QUERY, TEXTS)


def test_without_a_setting_there_is_none():
    """The default is no reranker; the error for an unknown name lists the known ones."""
    assert open_reranker(Settings()) is None
    with pytest.raises(ModelNotFoundError, match="ms-marco-MiniLM-L6-v2"):
        open_reranker(Settings(reranker="no-such-model"))


@pytest.mark.model
def test_the_language_model_prefers_the_text_that_speaks_of_it(likelihood):
    """The text from which the query could have been asked is the likeliest before it; log-probabilities are below 0."""
    scores = likelihood.score(QUERY, TEXTS)
    assert max(scores) == scores[1]
    assert max(scores) < 0


@pytest.mark.model
@pytest.mark.parametrize("token", ["<|im_end|>", "<|im_start|>", "<|endoftext|>"])
def test_special_tokens_in_content_are_plain_text(likelihood, token):
    """A special token in a query or text is several plain tokens, and is scored like any other words."""
    before, after = likelihood._tokens(f"what is {token}", f"{token} ends a turn.")
    llama = likelihood._generator._llama
    (special,) = llama.tokenize(token.encode(), add_bos=False, special=True)
    assert special not in before[len(likelihood._opening) :] + after
    assert math.isfinite(likelihood.score(f"what is {token}", [f"{token} ends a turn."])[0])


@pytest.mark.model
def test_the_likelihood_is_that_of_llama_cpp():
    """The score is the mean of the log-probabilities that llama.cpp itself gives with `logits_all`."""
    import llama_cpp
    import numpy as np

    generator = open_generator(Settings(model=STARTER, context_tokens=512, threads=1))
    reranker = LikelihoodReranker(generator)
    scores = reranker.score(QUERY, TEXTS[:2])
    llama = llama_cpp.Llama(
        str(generator._path),
        n_ctx=512,
        n_threads=1,
        n_threads_batch=1,
        logits_all=True,
        flash_attn=True,
        verbose=False,
    )
    for text, score in zip(TEXTS, scores, strict=False):
        before, after = reranker._tokens(QUERY, text)
        llama.reset()
        llama.eval(before + after)
        logits = llama.scores[len(before) - 1 : len(before) + len(after) - 1].astype(np.float64)
        logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        assert score == pytest.approx(logs[np.arange(len(after)), after].mean(), abs=0.02)
    llama.close()


@pytest.mark.model
def test_an_open_generator_lends_its_weights():
    """For `model` the generator that is open is used, and it answers as before while it is."""
    from rag_qa.protocols import Prompt

    def write():
        prompt = Prompt(system="Answer in one word.", user="Is water wet?")
        return "".join(generator.generate(prompt, grammar=None, max_tokens=8, temperature=0.0, seed=0))

    generator = open_generator(Settings(model=STARTER, context_tokens=512, threads=1))
    reranker = open_reranker(Settings(model=STARTER, reranker="model"), generator)
    assert isinstance(reranker, LikelihoodReranker)
    assert reranker._generator is generator
    text = write()
    reranker.score(QUERY, TEXTS)
    assert write() == text
