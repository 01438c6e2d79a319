"""Prompts → text, through llama.cpp in this process. Knows nothing of papers, labels or citations.

Against prompt injection, content is data: the chat template is tokenised with special tokens, and the texts in it
without. So `<|im_end|>` inside an abstract is plain characters to the model.
"""

import secrets
from collections.abc import Generator as Pieces
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from threading import Lock, Thread, get_ident
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rag_qa.backends.forks import refuse_after_fork
from rag_qa.backends.llama_native import (
    LayerContext,
    ScoringContext,
    can_offload,
    grammar_parses,
    layer_count,
    log_to_logging,
    logits_after,
    token_text,
)
from rag_qa.backends.locating import locate_model
from rag_qa.backends.probing import ensure_llama_works
from rag_qa.backends.processor import let_threads_sleep, physical_cores
from rag_qa.backends.prompt_memory import PromptMemory
from rag_qa.errors import BackendError, RagQAError
from rag_qa.protocols import ONE_AT_A_TIME, GeneratorSpec, Prompt
from rag_qa.settings import Settings

if TYPE_CHECKING:
    from llama_cpp import Llama
    from llama_cpp.llama_grammar import LlamaGrammar

ALL_LAYERS = -1
BATCH_TOKENS = 512
FALLBACK_TEMPLATE = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant: "


class LlamaGenerator:
    """A generator over a GGUF file. The model loads at its first use, after a child process has tried it."""

    def __init__(
        self, path: Path, *, name: str, sha256: str, n_ctx: int, threads: int | None, gpu_layers: int | None
    ) -> None:
        """Take the file's path and hash, and how to run it; the model itself is not read yet.

        `n_ctx` is the context in tokens; less if the model was trained with less. By default `threads` is the number
        of physical cores, and `gpu_layers` is all layers if the build can offload any.
        """
        let_threads_sleep()
        self._path = path
        self._name = name
        self._sha256 = sha256
        self._n_ctx = n_ctx
        self._threads = threads or physical_cores()
        self._requested_layers = gpu_layers
        self._lock = Lock()
        # The thread that is using the model.
        self._holder: int | None = None
        self._memory = PromptMemory()
        self._layers: LayerContext | None = None

    def load_ahead(self) -> None:
        """Begin to load the model in the background. If that fails, the first use raises the error."""

        refuse_after_fork("llama.cpp")

        def load() -> None:
            with self._lock, suppress(RagQAError):
                _ = self._llama

        Thread(target=load, daemon=True).start()

    @cached_property
    def spec(self) -> GeneratorSpec:
        """What really runs: no layers are claimed that the build cannot offload."""
        import llama_cpp

        return GeneratorSpec(
            name=self._name,
            sha256=self._sha256,
            n_ctx=self._llama.n_ctx(),
            threads=self._threads,
            gpu_layers=self._offloaded_layers(),
            offload_supported=can_offload(),
            runtime=f"llama-cpp-python {llama_cpp.__version__}",
        )

    def generate(
        self, prompt: Prompt, *, grammar: str | None, max_tokens: int, temperature: float, seed: int
    ) -> Pieces[str, None, None]:
        """Yield pieces of text, one caller at a time; closing the iterator stops the model.

        Raises BackendError if the grammar does not parse or the prompt leaves no room for `max_tokens`.
        """
        with self._turn():
            tokens = self._read(prompt, room=max_tokens)
            stream = self._llama.create_completion(
                tokens,
                max_tokens=max_tokens,
                temperature=temperature,
                seed=seed,
                grammar=None if grammar is None else self._grammar(grammar),
                stream=True,
            )
            try:
                for chunk in stream:
                    piece = chunk["choices"][0]["text"]  # type: ignore[index]
                    if piece:
                        yield piece
            finally:
                stream.close()  # type: ignore[union-attr]

    def choose(self, prompt: Prompt, options: Sequence[str]) -> list[float]:
        """Return the probability that the reply begins with each option: a softmax over their first tokens.

        Raises ValueError if two options begin with the same token, BackendError if the prompt is too long.
        """
        with self._turn():
            first = [self._tokenize(option, special=False)[0] for option in options]
            if len(set(first)) < len(first):
                raise ValueError(f"some of {list(options)} begin with the same token; give others")
            self._read(prompt, room=1)
            logits = logits_after(self._llama)[first].astype(np.float64)
        weights = np.exp(logits - logits.max())
        return [float(weight) for weight in weights / weights.sum()]

    def hidden_state(self, prompt: Prompt, *, layer: int) -> NDArray[np.float32]:
        """Return the output of a layer, counted from 0, for the last token of a prompt: shape (e,), float32.

        Raises BackendError if the prompt is too long, or if llama.cpp does not tell this layer's output.
        """
        with self._turn():
            self._read(prompt, room=1)
            try:
                if self._layers is None:
                    self._layers = LayerContext(self._llama)
                return self._layers.output(self._llama, layer)
            except (ValueError, RuntimeError) as exc:
                raise BackendError(
                    f"layer {layer} of {self._name} cannot be read ({exc}); use another model"
                ) from exc

    def count_tokens(self, prompt: Prompt) -> int:
        """Return the length of the rendered prompt in the model's own tokens."""
        with self._turn():
            return sum(map(len, self._segments(prompt)))

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait for other threads. Raises RuntimeError in a thread that waits for itself, with a text unfinished."""
        if self._holder == get_ident():
            raise RuntimeError(ONE_AT_A_TIME)
        refuse_after_fork("llama.cpp")
        with self._lock:
            self._holder = get_ident()
            try:
                yield
            finally:
                self._holder = None

    def open_context(self, *, tokens: int, outputs: int) -> ScoringContext:
        """Return a second context over the same weights, for texts of up to `tokens` tokens.

        Up to `outputs` of them may give logits. Raises BackendError if memory is short.
        """
        refuse_after_fork("llama.cpp")
        with self._lock:
            llama = self._llama
        try:
            return ScoringContext(llama, tokens=tokens, outputs=outputs, threads=self._threads)
        except ValueError as exc:
            raise BackendError(
                f"llama.cpp has no room for a second context over {self._path}; choose a smaller --model"
            ) from exc

    def tokenize(self, text: str) -> list[int]:
        """Return a text's tokens; special tokens are plain text. Any thread may call it once the model is loaded."""
        return self._tokenize(text, special=False)

    @cached_property
    def _llama(self) -> "Llama":
        ensure_llama_works(self._path)
        import llama_cpp

        log_to_logging()
        try:
            return llama_cpp.Llama(
                str(self._path),
                n_ctx=self._usable_context(),
                n_batch=BATCH_TOKENS,
                n_threads=self._threads,
                n_threads_batch=self._threads,
                n_gpu_layers=self._layers_to_ask(),
                flash_attn=True,
                verbose=False,
            )
        except ValueError as exc:
            raise BackendError(
                f"{self._path} cannot be loaded by llama.cpp: {exc}; check the file with `rag-qa doctor`"
            ) from exc

    def _usable_context(self) -> int:
        """Return the context asked for, or the one that the model was trained with if that is less."""
        import llama_cpp

        vocabulary = llama_cpp.Llama(str(self._path), vocab_only=True, verbose=False)
        architecture = vocabulary.metadata.get("general.architecture", "")
        trained = int(vocabulary.metadata.get(f"{architecture}.context_length", self._n_ctx))
        vocabulary.close()
        return min(self._n_ctx, trained)

    def _layers_to_ask(self) -> int:
        if not can_offload():
            return 0
        return ALL_LAYERS if self._requested_layers is None else self._requested_layers

    def _offloaded_layers(self) -> int:
        asked = self._layers_to_ask()
        available = layer_count(self._llama)
        return available if asked == ALL_LAYERS else min(asked, available)

    @cached_property
    def _template(self) -> Any:
        from llama_cpp.llama_chat_format import Jinja2ChatFormatter

        metadata = self._llama.metadata
        return Jinja2ChatFormatter(
            template=metadata.get("tokenizer.chat_template", FALLBACK_TEMPLATE),
            bos_token=token_text(self._llama, self._llama.token_bos()),
            eos_token=token_text(self._llama, self._llama.token_eos()),
        )

    def _read(self, prompt: Prompt, *, room: int) -> list[int]:
        """Evaluate a prompt and return its tokens. Raises BackendError if fewer than `room` tokens are left."""
        segments = self._segments(prompt)
        length = sum(map(len, segments))
        if length + room > self._llama.n_ctx():
            raise BackendError(
                f"a prompt of {length} tokens leaves no room for {room} in a context of "
                f"{self._llama.n_ctx()}; set RAG_QA_CONTEXT_TOKENS higher or ask for fewer sentences"
            )
        self._memory.read(self._llama, segments)
        return [token for segment in segments for token in segment]

    def _segments(self, prompt: Prompt) -> list[list[int]]:
        """Return the prompt's tokens in three segments: up to the context, the context, and the rest.

        Random marks stand for the texts while the template is rendered. Then its parts are tokenised with special
        tokens, and the texts without.
        """
        system, user = secrets.token_hex(8), secrets.token_hex(8)
        messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
        before, found_system, rest = self._template(messages=messages).prompt.partition(system)
        between, found_user, after = rest.partition(user)
        if not (found_system and found_user):
            raise BackendError(f"the chat template of {self._name} drops a message; use another model")
        plain = [self._tokenize(text, special=False) for text in (prompt.system, prompt.context, prompt.user)]
        segments = [
            self._tokenize(before, special=True) + plain[0] + self._tokenize(between, special=True),
            plain[1],
            plain[2] + self._tokenize(after, special=True) + self._tokenize(prompt.reply, special=False),
        ]
        return [segment for segment in segments if segment]

    def _tokenize(self, text: str, *, special: bool) -> list[int]:
        data = text.encode("utf-8", errors="replace")
        return self._llama.tokenize(data, add_bos=False, special=special) if data else []

    def _grammar(self, text: str) -> "LlamaGrammar":
        """Check a grammar before use: llama.cpp ends the process over a bad one."""
        from llama_cpp.llama_grammar import LlamaGrammar

        if not grammar_parses(self._llama, text):
            raise BackendError("the grammar does not parse; please report this with the question asked")
        return LlamaGrammar.from_string(text, verbose=False)


def open_generator(settings: Settings) -> LlamaGenerator:
    """Return the language model that the settings name, not loaded yet.

    Raises ModelNotFoundError, or ModelHashError if its file is damaged.
    """
    located = locate_model(settings.model, kind="generator")
    return LlamaGenerator(
        located.path,
        name=located.entry.name if located.entry else located.path.name,
        sha256=located.sha256,
        n_ctx=settings.context_tokens,
        threads=settings.threads,
        gpu_layers=settings.gpu_layers,
    )
