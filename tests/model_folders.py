"""Tiny models of BERT's kind, random and of one seed: embedders and cross-encoders, each written to a folder."""

import json

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

DIMENSION, INNER, LAYERS, HEADS, POSITIONS = 32, 64, 2, 4, 66
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
# The special tokens of a cross-encoder, by their names in transformers.
NAMED = {
    "pad_token": "[PAD]",
    "unk_token": "[UNK]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "mask_token": "[MASK]",
}
TAIL = {"path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}


def save_embedder(folder, texts, *, kind="bert", pooling="mean", changes=None):
    """Write an embedder over the words of some texts into a folder; `changes` go into its config.json."""
    words = [*SPECIAL, *sorted({word for text in texts for word in _split(text)})]
    _save_tokenizer(folder, words)
    config = {
        "model_type": kind,
        "architectures": [{"bert": "BertModel", "roberta": "RobertaModel"}[kind]],
        "vocab_size": len(words),
        "hidden_size": DIMENSION,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "intermediate_size": INNER,
        "max_position_embeddings": POSITIONS,
        "type_vocab_size": 2,
        "pad_token_id": 0,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-5,
    }
    modules = [
        {"path": "", "type": "sentence_transformers.models.Transformer"},
        {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        TAIL,
    ]
    modes = {
        f"pooling_mode_{mode}": mode.startswith(pooling)
        for mode in ("cls_token", "mean_tokens", "max_tokens")
    }
    _write(folder / "config.json", config | (changes or {}))
    _write(folder / "modules.json", [{"idx": n, "name": str(n)} | m for n, m in enumerate(modules)])
    _write(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": DIMENSION} | modes)
    _write(folder / "sentence_bert_config.json", {"max_seq_length": 24, "do_lower_case": False})
    save_file(_weights(len(words)), folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def save_cross_encoder(folder, texts, labels=("score",)):
    """Write a cross-encoder of one random layer over the words of the texts; the same seed gives the same weights."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    torch.manual_seed(0)
    words = [*NAMED.values(), *sorted({word for text in texts for word in text.lower().split()})]
    vocabulary = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=64, **NAMED)
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


def _split(text):
    return text.lower().replace(".", " ").replace(",", " ").replace("$", " ").split()


def _save_tokenizer(folder, words):
    tokenizer = Tokenizer(models.WordLevel({word: n for n, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    special = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token"), SPECIAL, strict=True))
    _write(folder / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast"} | special)


def _weights(words):
    random = np.random.default_rng(0)
    shapes = {
        "embeddings.word_embeddings.weight": (words, DIMENSION),
        "embeddings.position_embeddings.weight": (POSITIONS, DIMENSION),
        "embeddings.token_type_embeddings.weight": (2, DIMENSION),
        **_with_bias("embeddings.LayerNorm", DIMENSION),
    }
    for layer in (f"encoder.layer.{n}" for n in range(LAYERS)):
        for name in ("self.query", "self.key", "self.value", "output.dense"):
            shapes |= _with_bias(f"{layer}.attention.{name}", DIMENSION, DIMENSION)
        shapes |= _with_bias(f"{layer}.attention.output.LayerNorm", DIMENSION)
        shapes |= _with_bias(f"{layer}.intermediate.dense", INNER, DIMENSION)
        shapes |= _with_bias(f"{layer}.output.dense", DIMENSION, INNER)
        shapes |= _with_bias(f"{layer}.output.LayerNorm", DIMENSION)
    return {name: random.normal(0, 0.5, shape).astype(np.float32) for name, shape in shapes.items()}


def _with_bias(part, *shape):
    return {f"{part}.weight": shape, f"{part}.bias": shape[:1]}


def _write(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), "utf-8")
