"""What every test stands on."""

import os
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from hypothesis import settings

from rag_qa.app.cli import main

SPECIAL = {
    "pad_token": "[PAD]",
    "unk_token": "[UNK]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "mask_token": "[MASK]",
}


# A first example may import a library, beside other work: how long it takes says nothing.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_configure(config: pytest.Config) -> None:
    """Let through a warning that Chroma 1.5 gives about itself for collections without an embedding function."""
    config.addinivalue_line("filterwarnings", "ignore:legacy embedding function config:DeprecationWarning")


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """A function that runs `rag-qa` with arguments and returns its exit code, stdout and stderr."""
    monkeypatch.setenv("RAG_QA_SESSIONS_DIR", str(tmp_path / "sessions"))

    def run_one(*arguments):
        monkeypatch.setattr(sys, "argv", ["rag-qa", *arguments])
        code = 0
        try:
            main()
        except SystemExit as exc:
            code = exc.code or 0
        out, err = capsys.readouterr()
        return code, out, err

    return run_one


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of shared test data, or skip."""
    default = Path(__file__).parents[1].parent / "shared"
    folder = Path(os.environ.get("RAG_QA_SHARED", default))
    if not (folder / "seeds").is_dir():
        pytest.skip(f"no shared test data at {folder}: set RAG_QA_SHARED")
    return folder


@pytest.fixture(scope="session")
def save_embedder():
    """A function that writes a tiny random embedder over the words of some texts into a folder, and returns it."""
    spec = spec_from_file_location("model_folders", Path(__file__).with_name("model_folders.py"))
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.save_embedder


@pytest.fixture(scope="session")
def save_cross_encoder():
    """A function that writes a tiny random cross-encoder over the words of some texts into a folder."""
    return _save_cross_encoder


def _save_cross_encoder(folder, texts, labels=("score",)):
    """Write a cross-encoder of one random layer over the words of the texts; the same seed gives the same weights."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    torch.manual_seed(0)
    words = [*SPECIAL.values(), *sorted({word for text in texts for word in text.lower().split()})]
    vocabulary = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=64, **SPECIAL)
    fast.save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        id2label=dict(enumerate(labels)),
        label2id={label: n for n, label in enumerate(labels)},
    )
    BertForSequenceClassification(config).save_pretrained(folder)
