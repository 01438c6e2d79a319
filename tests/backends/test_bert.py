import json
import subprocess
import sys
import threading

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from rag_qa.backends import bert, bert_graph
from rag_qa.backends.bert import Bert
from rag_qa.backends.embedding import open_embedder, open_sentence_embedder
from rag_qa.settings import Settings

TEXTS = ["Games have players.", "Bees dance, and the players are vectors of games.", "Soup", "games " * 40]


def settings_for(folder, **more):
    return Settings(embedder=str(folder), embedder_dtype="float32", device="cpu", **more)


def test_no_text_depends_on_those_beside_it(tmp_path, save_embedder):
    """A text's vectors are the same alone, among others, and where texts are more than are computed at once."""
    bert = Bert(save_embedder(tmp_path, TEXTS))
    texts = [[2, 4 + n % 7, *range(4, 5 + n % 6), 3] for n in range(200)]
    for text, among in zip(texts, bert(texts), strict=True):
        assert among.shape == (len(text), 32)
        np.testing.assert_allclose(bert([text])[0], among, atol=1e-5)
    assert bert([]) == []


def test_groups_of_several_threads_come_back_in_their_places(tmp_path, save_embedder, monkeypatch):
    """Texts that several threads compute in groups of a few tokens get the vectors that they get alone."""
    encoder = Bert(save_embedder(tmp_path, TEXTS))
    texts = [[2, 5, 3], [2, 6, 7, 3], [2, 3], [2, 7, 3], [2, 5, 6, 7, 3]]
    alone = [encoder([text])[0] for text in texts]
    used, encode = set(), encoder._encode

    def noting(group):
        used.add(threading.get_ident())
        return encode(group)

    monkeypatch.setattr(bert, "TOKENS_AT_ONCE", 6)
    monkeypatch.setattr(encoder, "_encode", noting)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    for own, together in zip(alone, encoder(texts), strict=True):
        np.testing.assert_allclose(together, own, atol=1e-5)
    assert threading.get_ident() not in used


def test_eight_bits_are_close_but_not_the_same(tmp_path, save_embedder):
    """Computed in 8 bits, vectors point almost where they point otherwise, and are others."""
    folder = save_embedder(tmp_path, TEXTS)
    texts = [[2, *range(4, 4 + n), 3] for n in range(1, 6)]
    for exact, rounded in zip(Bert(folder)(texts), Bert(folder, eight_bits=True)(texts), strict=True):
        cosines = (
            (exact * rounded).sum(axis=1) / np.linalg.norm(exact, axis=1) / np.linalg.norm(rounded, axis=1)
        )
        assert cosines.min() > 0.98
        assert np.abs(exact - rounded).max() > 1e-4


def test_in_eight_bits_no_text_depends_on_others_at_all(tmp_path, save_embedder):
    """Rounded to 8 bits, a text's vectors are to the last bit those that it gets alone: texts share no scale."""
    encoder = Bert(save_embedder(tmp_path, TEXTS), eight_bits=True)
    texts = [[2, 4 + n % 7, *range(4, 5 + n % 6), 3] for n in range(50)]
    for text, among in zip(texts, encoder(texts), strict=True):
        np.testing.assert_array_equal(encoder([text])[0], among)


def test_a_unit_much_larger_than_others_does_not_drown_them(tmp_path, save_embedder, monkeypatch):
    """What is rounded together is scaled first, so that the error is a fraction of what it is without."""
    file = save_embedder(tmp_path, TEXTS) / "model.safetensors"
    weights = load_file(file)
    weights["encoder.layer.0.intermediate.dense.bias"][0] = 200
    weights["encoder.layer.0.output.dense.weight"][:, 0] = 0.01
    save_file(weights, file)
    text = [2, *range(4, 12), 3]
    (exact,) = Bert(tmp_path)([text])

    def error():
        (rounded,) = Bert(tmp_path, eight_bits=True)([text])
        return np.abs(exact - rounded).mean()

    scaled = error()
    monkeypatch.setattr(bert_graph, "MOVED", 0.0)
    assert scaled < error() / 2


FORK = """
import os, sys
from pathlib import Path
import numpy as np
from rag_qa.backends.bert import Bert
bert = Bert(Path(sys.argv[1]))
(before,) = bert([[2, 5, 3]])
if child := os.fork():
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
np.testing.assert_array_equal(bert([[2, 5, 3]])[0], before)
"""


@pytest.mark.process
def test_a_forked_process_has_threads_of_its_own(tmp_path, save_embedder):
    """A process forked after a use computes the same vectors and ends; it does not wait for threads of the first."""
    command = [sys.executable, "-c", FORK, str(save_embedder(tmp_path, TEXTS))]
    subprocess.run(command, check=True, timeout=60)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"model_type": "t5"}, "its kind is t5"),
        ({"hidden_act": "relu"}, "hidden_act is relu"),
        ({"position_embedding_type": "relative_key"}, "relative_key"),
        ({"is_decoder": True}, "decoder"),
        ({"num_hidden_layers": 3}, "weights are missing, such as encoder.layer.2"),
    ],
)
def test_other_models_are_refused(tmp_path, save_embedder, changes, why):
    """What is computed in another way is refused in words, before anything is computed."""
    save_embedder(tmp_path, TEXTS, changes=changes)
    with pytest.raises(ValueError, match=why):
        Bert(tmp_path)


def test_a_file_that_is_cut_off_is_refused(tmp_path, save_embedder):
    """Weights that end too early are refused when they are opened."""
    weights = save_embedder(tmp_path, TEXTS) / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4])
    with pytest.raises(ValueError, match="buffer"):
        Bert(tmp_path)


def test_weights_that_begin_anywhere_are_read(tmp_path, save_embedder):
    """Files whose numbers do not begin at a multiple of four bytes give the same vectors."""
    bert = Bert(save_embedder(tmp_path / "even", TEXTS))
    odd = save_embedder(tmp_path / "odd", TEXTS) / "model.safetensors"
    whole = odd.read_bytes()
    length = int.from_bytes(whole[:8], "little")
    table = json.dumps(json.loads(whole[8 : 8 + length])).encode()
    table += b" " * (1 + -len(table) % 4)
    odd.write_bytes(len(table).to_bytes(8, "little") + table + whole[8 + length :])
    np.testing.assert_array_equal(Bert(odd.parent)([[2, 5, 3]])[0], bert([[2, 5, 3]])[0])


@pytest.mark.model
@pytest.mark.parametrize("pooling", ["mean", "cls"])
@pytest.mark.parametrize("kind", ["bert", "roberta"])
def test_vectors_are_those_of_sentence_transformers(tmp_path, save_embedder, monkeypatch, kind, pooling):
    """Over one random model of each kind, vectors of texts and of tokens are those that the library gives."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = save_embedder(tmp_path / "model", TEXTS, kind=kind, pooling=pooling)
    light, heavy = open_embedder(settings_for(folder)), open_sentence_embedder(settings_for(folder))
    np.testing.assert_allclose(
        light.encode(TEXTS, role="query"), heavy.encode(TEXTS, role="query"), atol=1e-5
    )
    pairs = zip(
        light.encode_tokens(TEXTS, role="document"), heavy.encode_tokens(TEXTS, role="document"), strict=True
    )
    for mine, theirs in pairs:
        np.testing.assert_allclose(mine.vector, theirs.vector, atol=1e-5)
        np.testing.assert_allclose(mine.tokens, theirs.tokens, atol=1e-5)
        np.testing.assert_array_equal(mine.spans, theirs.spans)
    assert "ONNX Runtime embeds all texts" in light.describe()
