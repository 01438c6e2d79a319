import json
import pickle

import numpy as np
import pytest

from rag_qa.backends import embedding
from rag_qa.backends.agreement import TEXTS as TRIED
from rag_qa.backends.agreement import recall_cosine
from rag_qa.backends.catalogue import find_entry
from rag_qa.backends.embedding import FEW_TEXTS, SwitchingEmbedder, find_embedder, open_embedder
from rag_qa.backends.light_embedder import LightEmbedder
from rag_qa.backends.locating import LocatedModel
from rag_qa.errors import BackendError
from rag_qa.settings import Settings

TEXTS = ["Games have players.", *TRIED]


class Heavy(LightEmbedder):
    """Stands for sentence-transformers: counts the calls, and for `off` gives other vectors."""

    def __init__(self, folder, spec, *, off=False):
        super().__init__(folder, spec)
        self.asked = []
        self._off = off

    def encode(self, texts, *, role):
        self.asked.append(len(texts))
        vectors = super().encode(texts, role=role)
        return vectors[:, ::-1] if self._off else vectors


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache folder of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path, save_embedder):
    """A model folder that ONNX Runtime can compute."""
    return save_embedder(tmp_path / "model", TEXTS)


def switching(folder, *, off=False, light=True, many=True):
    _, spec = find_embedder(Settings(embedder=str(folder), embedder_dtype="float32"))
    heavy = Heavy(folder, spec, off=off)
    return SwitchingEmbedder(folder, heavy, light=light, many=many), heavy


@pytest.mark.parametrize(("many", "asked"), [(True, []), (False, [FEW_TEXTS + 1, 1])])
def test_many_texts_go_where_they_are_embedded_faster(folder, many, asked):
    """Once both agreed, sentence-transformers is never asked, or only for many texts and for passages."""
    switching(folder)[0].encode(["games"], role="query")
    embedder, heavy = switching(folder, many=many)
    embedder.encode(["games"] * FEW_TEXTS, role="query")
    embedder.encode_tokens(["games"], role="sentence")
    assert heavy.asked == []
    embedder.encode(["games"] * (FEW_TEXTS + 1), role="sentence")
    embedder.encode(["games"], role="document")
    assert heavy.asked == asked


def test_in_eight_bits_only_passages_are_rounded(folder, monkeypatch):
    """With int8 a question and a paper's sentences get exact vectors; the passages of an index get rounded ones."""
    exact, _ = switching(folder)
    rounded = open_embedder(Settings(embedder=str(folder), embedder_dtype="int8"))
    monkeypatch.setattr(rounded, "_heavy", Heavy(folder, rounded.spec))
    passages = rounded.encode(TEXTS, role="document")
    assert 0.98 < (passages * exact.encode(TEXTS, role="document")).sum(axis=1).min() < 0.99999
    for role in ("query", "sentence"):
        np.testing.assert_array_equal(rounded.encode(TEXTS, role=role), exact.encode(TEXTS, role=role))
    assert rounded.describe().endswith("the passages of an index are in 8 bits")


@pytest.mark.parametrize(
    ("settings", "gpu", "measured", "dtype"),
    [
        ({}, False, True, "int8"),
        ({"device": "cpu"}, True, True, "int8"),
        ({}, False, False, "float32"),
        ({}, True, True, "float32"),
        ({"device": "cuda"}, False, True, "float32"),
        ({"embedder_runtime": "torch"}, False, True, "float32"),
        ({"embedder_dtype": "bfloat16"}, False, True, "bfloat16"),
    ],
)
def test_eight_bits_are_taken_where_they_were_measured(folder, monkeypatch, settings, gpu, measured, dtype):
    """By default, passages are rounded if the catalogue says that search is as good so, and only on a CPU."""
    entry = find_entry("all-MiniLM-L6-v2").model_copy(update={"eight_bits": measured})
    located = LocatedModel(entry=entry, path=folder, sha256=entry.sha256)
    monkeypatch.setattr(embedding, "locate_model", lambda *_, **__: located)
    monkeypatch.setattr(embedding, "may_have_gpu", lambda: gpu)
    monkeypatch.setattr(embedding, "has_bfloat16", lambda: False)
    assert find_embedder(Settings(**settings))[1].dtype == dtype
    monkeypatch.setattr(embedding, "has_bfloat16", lambda: True)
    expected = "bfloat16" if dtype == "float32" else dtype
    assert find_embedder(Settings(**settings))[1].dtype == expected


@pytest.mark.parametrize(
    ("settings", "gpu", "what"),
    [
        ({"embedder_dtype": "float32"}, False, "all texts"),
        ({"embedder_dtype": "float32"}, True, "questions"),
        ({"embedder_dtype": "float32", "device": "cpu"}, True, "all texts"),
        ({"embedder_dtype": "bfloat16"}, False, "questions"),
    ],
)
def test_many_texts_are_left_to_torch_where_it_is_faster(folder, monkeypatch, settings, gpu, what):
    """With a GPU or with bfloat16, torch embeds many texts."""
    monkeypatch.setattr(embedding, "may_have_gpu", lambda: gpu)
    embedder = open_embedder(Settings(embedder=str(folder), **settings))
    assert f"ONNX Runtime will embed {what}" in embedder.describe()


def test_agreement_is_tried_once(folder):
    """The first process tries on the sample texts of both roles; the next one remembers what came of it."""
    embedder, heavy = switching(folder)
    assert "will embed all texts, if" in embedder.describe()
    embedder.encode(["games"], role="query")
    assert heavy.asked == [len(TRIED)] * 2
    assert recall_cosine(folder, embedder.spec) == pytest.approx(1, abs=1e-5)
    again, untouched = switching(folder)
    again.encode(["games"], role="query")
    assert untouched.asked == []
    assert "ONNX Runtime embeds all texts" in again.describe()


def test_where_vectors_differ_the_light_one_never_serves(folder):
    """A disagreement is remembered: sentence-transformers serves, in this process and in the next."""
    switching(folder, off=True)[0].encode(["games"], role="query")
    embedder, heavy = switching(folder, off=True)
    embedder.encode(["games"], role="query")
    assert heavy.asked == [1]
    assert "agrees to a cosine of" in embedder.describe()


def test_changed_weights_are_tried_again(folder):
    """What was found holds for the files that it was found for."""
    switching(folder)[0].encode(["games"], role="query")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"layer_norm_eps": 1e-6}))
    embedder, heavy = switching(folder)
    embedder.encode(["games"], role="query")
    assert heavy.asked == [len(TRIED)] * 2


@pytest.mark.parametrize(
    ("module", "why"),
    [
        ({"path": "3_Dense", "type": "some.Dense"}, "its modules are Transformer, Pooling, Normalize, Dense"),
        ({"path": "3_Dense"}, "its description lacks 'type'"),
    ],
)
def test_an_unknown_kind_is_left_to_sentence_transformers(folder, module, why):
    """A model that ONNX Runtime does not compute is served by sentence-transformers, and it is said why."""
    modules = json.loads((folder / "modules.json").read_text())
    _, heavy = switching(folder)
    (folder / "modules.json").write_text(json.dumps([*modules, module]))
    embedder = SwitchingEmbedder(folder, heavy)
    embedder.encode(["games"], role="query")
    assert heavy.asked == [1]
    assert why in embedder.describe()


def test_the_light_one_can_be_turned_off(folder):
    """With the setting `torch`, sentence-transformers serves even one text."""
    embedder, heavy = switching(folder, light=False)
    embedder.encode(["games"], role="query")
    assert heavy.asked == [1]
    torch = open_embedder(Settings(embedder=str(folder), embedder_runtime="torch"))
    assert "the settings say so" in torch.describe()


def test_without_a_cache_every_process_tries_anew(folder, monkeypatch):
    """Where nothing can be remembered, the agreement is tried in every process, once."""
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    for embedder, heavy in (switching(folder), switching(folder)):
        for _ in range(2):
            embedder.encode(["games"], role="query")
        assert heavy.asked == [len(TRIED)] * 2


def test_nothing_to_embed_loads_nothing(folder):
    """No texts give no vectors, without trying anything."""
    embedder, heavy = switching(folder)
    assert embedder.encode([], role="query").shape == (0, 32)
    assert embedder.encode_tokens([], role="query") == []
    assert heavy.asked in ([], [0])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("modules.json", '{"a": 1}'),
        ("modules.json", "[1]"),
        ("modules.json", "{"),
        ("modules.json", "[" * 100_000),
        ("config_sentence_transformers.json", "[]"),
        ("config_sentence_transformers.json", b"\xff"),
        ("sentence_bert_config.json", '{"max_seq_length": "many"}'),
    ],
)
def test_a_broken_description_is_told(folder, name, content):
    """A model folder whose configuration cannot be read is named, with the command that lists others."""
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BackendError, match="rag-qa models list"):
        find_embedder(Settings(embedder=str(folder)))


@pytest.mark.model
@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_broken_weights_are_told(folder, name):
    """Truncated weights, and a pickle that torch refuses, are errors of ours that name the folder and the cure."""
    (folder / "model.safetensors").rename(folder / name)
    content = (folder / name).read_bytes()
    hostile = pickle.dumps(print)
    (folder / name).write_bytes(content[: len(content) // 2] if name.endswith("safetensors") else hostile)
    with pytest.raises(BackendError, match="RAG_QA_EMBEDDER"):
        open_embedder(Settings(embedder=str(folder))).encode(["games"], role="query")
