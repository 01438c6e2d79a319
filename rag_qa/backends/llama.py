"""Prompts → text, through llama.cpp in this process. Knows nothing of papers, labels or citations.

Content is data: the chat template is tokenised with its special tokens, the texts put into it without, so
that `<|im_end|>` inside an abstract is seven letters and some punctuation to the model.
"""

import ctypes
import logging
import secrets
from collections import deque
from collections.abc import Generator as Pieces
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from threading import Lock, Thread, get_ident
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rag_qa.backends.locating import locate_model
from rag_qa.backends.probing import ensure_llama_works
from rag_qa.backends.processor import let_threads_sleep, physical_cores
from rag_qa.errors import BackendError, RagQAError
from rag_qa.protocols import ONE_AT_A_TIME, GeneratorSpec, Prompt
from rag_qa.settings import Settings

if TYPE_CHECKING:
    from llama_cpp import Llama
    from llama_cpp._internals import LlamaContext
    from llama_cpp.llama_grammar import LlamaGrammar

ALL_LAYERS = -1
BATCH_TOKENS = 512
# Beginnings of prompts that are kept besides the last: of an answer, and of what it cites. Some 12 MB each.
BOOKMARKS = 2
FALLBACK_TEMPLATE = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant: "

logger = logging.getLogger(__name__)


class Bookmark(NamedTuple):
    """The beginning of a prompt that was read, in tokens by segment, and llama.cpp's memory of it."""

    segments: list[list[int]]
    state: "ctypes.Array[ctypes.c_uint8]"


class LlamaGenerator:
    """A generator over a GGUF file; the model loads at its first use, after a child process has tried it."""

    def __init__(
        self, path: Path, *, name: str, sha256: str, n_ctx: int, threads: int | None, gpu_layers: int | None
    ) -> None:
        let_threads_sleep()
        self._path = path
        self._name = name
        self._sha256 = sha256
        self._n_ctx = n_ctx
        self._threads = threads or physical_cores()
        self._requested_layers = gpu_layers
        self._lock = Lock()
        self._holder: int | None = None
        # The parts of the prompt read last, in tokens: what the model's memory begins with.
        self._read_before: list[list[int]] = []
        self._bookmarks: deque[Bookmark] = deque(maxlen=BOOKMARKS)

    def load_ahead(self) -> None:
        """Begin to load the model in the background, so that it is there when search is done.

        What goes wrong is an error at the first use.
        """

        def load() -> None:
            with self._lock, suppress(RagQAError):
                _ = self._llama

        Thread(target=load, daemon=True).start()

    @cached_property
    def spec(self) -> GeneratorSpec:
        """What really runs: layers that the build cannot offload are not claimed."""
        import llama_cpp

        return GeneratorSpec(
            name=self._name,
            sha256=self._sha256,
            n_ctx=self._llama.n_ctx(),
            threads=self._threads,
            gpu_layers=self._offloaded_layers(),
            offload_supported=bool(llama_cpp.llama_supports_gpu_offload()),
            runtime=f"llama-cpp-python {llama_cpp.__version__}",
        )

    def generate(
        self, prompt: Prompt, *, grammar: str | None, max_tokens: int, temperature: float, seed: int
    ) -> Pieces[str, None, None]:
        """Yield pieces of text, one caller at a time; closing the iterator stops the model.

        Raises BackendError where the grammar is bad or the prompt leaves no room for `max_tokens`.
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
        """Return how probably the reply begins with each option, among them: a softmax over their first tokens.

        Raises ValueError for options that begin with the same token, BackendError where the prompt is too long.
        """
        import llama_cpp

        with self._turn():
            first = [self._tokenize(option, special=False)[0] for option in options]
            if len(set(first)) < len(first):
                raise ValueError(f"some of {list(options)} begin with the same token; give others")
            self._read(prompt, room=1)
            pointer = llama_cpp.llama_get_logits_ith(self._llama.ctx, -1)
            logits = np.ctypeslib.as_array(pointer, shape=(self._llama.n_vocab(),))[first].astype(np.float64)
        weights = np.exp(logits - logits.max())
        return [float(weight) for weight in weights / weights.sum()]

    def count_tokens(self, prompt: Prompt) -> int:
        """Return the length of the rendered prompt in the model's own tokens."""
        with self._turn():
            return sum(map(len, self._segments(prompt)))

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait for other threads. Raises RuntimeError in the one that has a text written: it would wait forever."""
        if self._holder == get_ident():
            raise RuntimeError(ONE_AT_A_TIME)
        with self._lock:
            self._holder = get_ident()
            try:
                yield
            finally:
                self._holder = None

    def open_context(self, *, tokens: int, outputs: int) -> "LlamaContext":
        """Return a further context over the same weights, for batches of `tokens` of which `outputs` give logits.

        Raises BackendError where there is no room for it.
        """
        import llama_cpp
        from llama_cpp._internals import LlamaContext

        with self._lock:
            model = self._llama._model
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = params.n_batch = params.n_ubatch = tokens
        params.n_outputs_max = outputs
        params.n_threads = params.n_threads_batch = self._threads
        try:
            return LlamaContext(model=model, params=params, verbose=False)
        except ValueError as exc:
            raise BackendError(
                f"llama.cpp has no room for a second context over {self._path}; choose a smaller --model"
            ) from exc

    def tokenize(self, text: str) -> list[int]:
        """Return a text's tokens; a special token in it is plain text. Once loaded, any thread may call it."""
        return self._tokenize(text, special=False)

    @cached_property
    def _llama(self) -> "Llama":
        ensure_llama_works(self._path)
        import llama_cpp

        _route_log()
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
        """Return the context asked for, or what the model was trained with where that is less."""
        import llama_cpp

        vocabulary = llama_cpp.Llama(str(self._path), vocab_only=True, verbose=False)
        architecture = vocabulary.metadata.get("general.architecture", "")
        trained = int(vocabulary.metadata.get(f"{architecture}.context_length", self._n_ctx))
        vocabulary.close()
        return min(self._n_ctx, trained)

    def _layers_to_ask(self) -> int:
        import llama_cpp

        if not llama_cpp.llama_supports_gpu_offload():
            return 0
        return ALL_LAYERS if self._requested_layers is None else self._requested_layers

    def _offloaded_layers(self) -> int:
        import llama_cpp

        asked = self._layers_to_ask()
        available = int(llama_cpp.llama_model_n_layer(self._llama.model)) + 1
        return available if asked == ALL_LAYERS else min(asked, available)

    @cached_property
    def _template(self) -> Any:
        from llama_cpp.llama_chat_format import Jinja2ChatFormatter

        metadata = self._llama.metadata
        return Jinja2ChatFormatter(
            template=metadata.get("tokenizer.chat_template", FALLBACK_TEMPLATE),
            bos_token=self._token_text(self._llama.token_bos()),
            eos_token=self._token_text(self._llama.token_eos()),
        )

    def _token_text(self, token: int) -> str:
        return self._llama._model.token_get_text(token) if token >= 0 else ""

    def _read(self, prompt: Prompt, *, room: int) -> list[int]:
        """Evaluate a prompt and return its tokens; `room` tokens must be left for the reply.

        Each segment is evaluated by itself, and those that the prompt before or a bookmark begins with are kept. So the
        logits are the same whether a segment was kept or read anew: where batches begin would change them by up to .4.
        """
        segments = self._segments(prompt)
        length = sum(map(len, segments))
        if length + room > self._llama.n_ctx():
            raise BackendError(
                f"a prompt of {length} tokens leaves no room for {room} in a context of "
                f"{self._llama.n_ctx()}; set RAG_QA_CONTEXT_TOKENS higher or ask for fewer sentences"
            )
        kept = _shared(self._read_before, segments)
        marked = max(self._bookmarks, key=lambda mark: _shared(mark.segments, segments), default=None)
        beginning = self._read_before[:-1]
        if kept < len(beginning) and all(mark.segments != beginning for mark in self._bookmarks):
            self._bookmarks.append(self._mark())
        if marked is not None and _shared(marked.segments, segments) > kept:
            self._open_at(marked)
            kept = _shared(marked.segments, segments)
        self._read_before = segments[:kept]
        self._llama.n_tokens = sum(map(len, self._read_before))
        for segment in segments[kept:]:
            self._llama.eval(segment)
            self._read_before.append(segment)
        return [token for segment in segments for token in segment]

    def _mark(self) -> "Bookmark":
        """Return what the model has in memory of the prompt read last, but for its end."""
        import llama_cpp

        ctx = self._llama.ctx
        state = (ctypes.c_uint8 * llama_cpp.llama_state_seq_get_size(ctx, 0))()
        llama_cpp.llama_state_seq_get_data(ctx, state, len(state), 0)
        return Bookmark(self._read_before[:-1], state)

    def _open_at(self, mark: "Bookmark") -> None:
        import llama_cpp

        llama_cpp.llama_state_seq_set_data(self._llama.ctx, mark.state, len(mark.state), 0)

    def _segments(self, prompt: Prompt) -> list[list[int]]:
        """Return the tokens of the system's part, of the context and of the rest.

        The template is tokenised with special tokens, and what stands in it without.
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
        import llama_cpp
        from llama_cpp.llama_grammar import LlamaGrammar

        vocab = self._llama._model.vocab
        sampler = llama_cpp.llama_sampler_init_grammar(vocab, text.encode("utf-8"), b"root")
        if not sampler:
            raise BackendError("the grammar does not parse; please report this with the question asked")
        llama_cpp.llama_sampler_free(sampler)
        return LlamaGrammar.from_string(text, verbose=False)


def _shared(before: Sequence[list[int]], segments: Sequence[list[int]]) -> int:
    """Return how many segments two prompts begin with in common; the last one is never among them."""
    same = takewhile(lambda pair: pair[0] == pair[1], zip(before, segments[:-1], strict=False))
    return sum(1 for _ in same)


def open_generator(settings: Settings) -> LlamaGenerator:
    """Find the language model that the settings name, without loading it."""
    located = locate_model(settings.model, kind="generator")
    return LlamaGenerator(
        located.path,
        name=located.entry.name if located.entry else located.path.name,
        sha256=located.sha256,
        n_ctx=settings.context_tokens,
        threads=settings.threads,
        gpu_layers=settings.gpu_layers,
    )


_log_callback: Any = None


def _route_log() -> None:
    """Send llama.cpp's own messages to `logging`; it holds one callback a process, which must stay alive."""
    global _log_callback
    if _log_callback is not None:
        return
    import llama_cpp

    @llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]
    def callback(level: int, text: bytes, user_data: ctypes.c_void_p) -> None:
        logger.debug("%s", text.decode("utf-8", errors="replace").rstrip())

    _log_callback = callback
    llama_cpp.llama_log_set(_log_callback, ctypes.c_void_p(0))
