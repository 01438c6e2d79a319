"""The one file that uses C functions and private members of llama-cpp-python.

They may change with any version, so pyproject.toml bounds the version above, and tests/contracts/test_llama_native.py
fails if one of them is gone or takes other arguments. An open `llama_cpp.Llama` is called `llama` here.
"""

import ctypes
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from llama_cpp import Llama

logger = logging.getLogger(__name__)

State = ctypes.Array[ctypes.c_uint8]

# The first sequence of a context; nothing here uses another.
SEQUENCE = 0
_log_callback: Any = None


def can_offload() -> bool:
    """Return whether this build of llama.cpp can compute layers on a GPU."""
    import llama_cpp

    return bool(llama_cpp.llama_supports_gpu_offload())


def system_info() -> str:
    """Return what llama.cpp says of its build: instruction sets and libraries."""
    import llama_cpp

    return str(llama_cpp.llama_print_system_info().decode())


def layer_count(llama: "Llama") -> int:
    """Return the number of layers that may be offloaded, the output layer included."""
    import llama_cpp

    return int(llama_cpp.llama_model_n_layer(llama.model)) + 1


def token_text(llama: "Llama", token: int) -> str:
    """Return the text of a token; empty for -1, which means that the model has no such token."""
    return llama._model.token_get_text(token) if token >= 0 else ""


def logits_after(llama: "Llama") -> NDArray[np.float32]:
    """Return the logits of the next token, shape (vocabulary,): llama.cpp's own memory, valid until it evaluates."""
    import llama_cpp

    pointer = llama_cpp.llama_get_logits_ith(llama.ctx, -1)
    return np.ctypeslib.as_array(pointer, shape=(llama.n_vocab(),))


def keep_tokens(llama: "Llama", count: int) -> None:
    """Go on after the first `count` tokens that were evaluated; the next evaluation drops the rest."""
    llama.n_tokens = count


def copy_state(llama: "Llama") -> State:
    """Return a copy of the attention keys and values of all tokens evaluated so far."""
    import llama_cpp

    state: State = (ctypes.c_uint8 * llama_cpp.llama_state_seq_get_size(llama.ctx, SEQUENCE))()
    llama_cpp.llama_state_seq_get_data(llama.ctx, state, len(state), SEQUENCE)
    return state


def restore_state(llama: "Llama", state: State) -> None:
    """Put back what `copy_state` returned; `keep_tokens` must say of how many tokens it is."""
    import llama_cpp

    llama_cpp.llama_state_seq_set_data(llama.ctx, state, len(state), SEQUENCE)


def grammar_parses(llama: "Llama", grammar: str) -> bool:
    """Return whether llama.cpp can parse a GBNF grammar; generating under one that it cannot ends the process."""
    import llama_cpp

    sampler = llama_cpp.llama_sampler_init_grammar(llama._model.vocab, grammar.encode("utf-8"), b"root")
    if not sampler:
        return False
    llama_cpp.llama_sampler_free(sampler)
    return True


def log_to_logging() -> None:
    """Send llama.cpp's messages to `logging` at level DEBUG: it holds one callback a process, which must stay alive."""
    global _log_callback
    if _log_callback is not None:
        return
    import llama_cpp

    @llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]
    def callback(level: int, text: bytes, user_data: ctypes.c_void_p) -> None:
        logger.debug("%s", text.decode("utf-8", errors="replace").rstrip())

    _log_callback = callback
    llama_cpp.llama_log_set(_log_callback, ctypes.c_void_p(0))


class ScoringContext:
    """A second context over the weights of an open model, for the logits of several tokens at once.

    The open model keeps its own state. One thread at a time.
    """

    def __init__(self, llama: "Llama", *, tokens: int, outputs: int, threads: int) -> None:
        """Make room for `tokens` tokens, of which `outputs` give logits. Raises ValueError if memory is short."""
        import llama_cpp
        from llama_cpp._internals import LlamaBatch, LlamaContext

        params = llama_cpp.llama_context_default_params()
        params.n_ctx = params.n_batch = params.n_ubatch = tokens
        params.n_outputs_max = outputs
        params.n_threads = params.n_threads_batch = threads
        self._model = llama._model
        self._context = LlamaContext(model=self._model, params=params, verbose=False)
        self._batch = LlamaBatch(n_tokens=tokens, embd=0, n_seq_max=1)

    @property
    def opening(self) -> list[int]:
        """The token that begins a text, if the model was trained with one."""
        return [self._model.token_bos()] if self._model.add_bos_token() else []

    def logits(self, tokens: Sequence[int], *, last: int) -> NDArray[np.float32]:
        """Evaluate a text; return the logits after each of its last `last` tokens, shape (last, vocabulary).

        The array is llama.cpp's own memory, valid until the next call. Raises RuntimeError if llama.cpp fails.
        """
        self._batch.set_batch(tokens, n_past=0, logits_all=False)
        for position in range(len(tokens) - last, len(tokens)):
            self._batch.batch.logits[position] = True
        self._context.kv_cache_clear()  # type: ignore[no-untyped-call]
        self._context.decode(self._batch)
        pointer = self._context.get_logits()  # type: ignore[no-untyped-call]
        return np.ctypeslib.as_array(pointer, shape=(last, self._model.n_vocab()))


class LayerContext:
    """A second context over the weights of an open model that tells what its layers put out.

    llama.cpp names the tensors that it computes; `l_out-7` is the output of layer 7, counted from 0, for most kinds of
    models. The open model keeps its own state. One thread at a time.
    """

    def __init__(self, llama: "Llama") -> None:
        """Make room for as many tokens as the open model has.

        Raises ValueError if memory is short, or if the library of tensors does not show its functions.
        """
        import llama_cpp
        from llama_cpp._ggml import libggml
        from llama_cpp._internals import LlamaBatch, LlamaContext

        for function in ("ggml_get_name", "ggml_nelements", "ggml_backend_tensor_get"):
            if not hasattr(libggml, function):
                raise ValueError(f"this build of llama.cpp has no function {function}")
        self._wanted = b""
        self._output: NDArray[np.float32] | None = None
        # llama.cpp holds only its address, so it must stay alive.
        self._callback = llama_cpp.llama_cpp.ggml_backend_sched_eval_callback(self._on_tensor)
        params = type(llama.context_params).from_buffer_copy(llama.context_params)
        params.n_batch = params.n_ubatch = 1
        params.cb_eval = self._callback
        self._context = LlamaContext(model=llama._model, params=params, verbose=False)
        self._batch = LlamaBatch(n_tokens=1, embd=0, n_seq_max=1)

    def output(self, llama: "Llama", layer: int) -> NDArray[np.float32]:
        """Return a layer's output for the last token that the open model evaluated, shape (e,), float32.

        That token is evaluated once more. Raises RuntimeError if llama.cpp fails, or names no output of this layer.
        """
        import llama_cpp

        last = llama.n_tokens - 1
        state = copy_state(llama)
        llama_cpp.llama_state_seq_set_data(self._context.ctx, state, len(state), SEQUENCE)
        self._context.kv_cache_seq_rm(SEQUENCE, last, -1)
        self._batch.set_batch([int(llama.input_ids[last])], n_past=last, logits_all=False)
        self._wanted, self._output = f"l_out-{layer}".encode(), None
        self._context.decode(self._batch)
        if self._output is None:
            raise RuntimeError(f"llama.cpp computed no tensor {self._wanted.decode()}")
        return self._output

    def _on_tensor(self, tensor: int, asks: bool, _: object) -> bool:
        """Return whether a tensor is wanted when llama.cpp asks; copy it once it is computed."""
        if _tensor_name(tensor) != self._wanted:
            return False
        if not asks:
            self._output = _tensor_values(tensor)
        return True


def _tensor_name(tensor: int) -> bytes:
    from llama_cpp._ggml import libggml

    libggml.ggml_get_name.restype = ctypes.c_char_p
    return bytes(libggml.ggml_get_name(ctypes.c_void_p(tensor)))


def _tensor_values(tensor: int) -> NDArray[np.float32]:
    """Return a copy of a tensor of 32-bit numbers, from the memory of whatever device it is on; shape (elements,)."""
    from llama_cpp._ggml import libggml

    libggml.ggml_nelements.restype = ctypes.c_int64
    address = ctypes.c_void_p(tensor)
    values = np.empty(libggml.ggml_nelements(address), dtype=np.float32)
    size = ctypes.c_size_t(values.nbytes)
    libggml.ggml_backend_tensor_get(address, ctypes.c_void_p(values.ctypes.data), ctypes.c_size_t(0), size)
    return values
