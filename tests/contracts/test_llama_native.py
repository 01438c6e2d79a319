"""What `rag_qa.backends.llama_native` needs of llama-cpp-python beside its public API, checked without a model."""

import ctypes
import inspect
import re
from pathlib import Path
from types import SimpleNamespace

import llama_cpp
import pytest
from llama_cpp import Llama
from llama_cpp._ggml import libggml
from llama_cpp._internals import LlamaBatch, LlamaContext, LlamaModel

import rag_qa

POINTER, INT, BYTES, SIZE = ctypes.c_void_p, ctypes.c_int32, ctypes.c_char_p, ctypes.c_size_t
SAMPLER = llama_cpp.llama_cpp.llama_sampler_p_ctypes
FLOATS, CHARACTERS = ctypes.POINTER(ctypes.c_float), ctypes.POINTER(ctypes.c_uint8)
# Each C function with the types of its arguments and of what it returns.
FUNCTIONS = {
    "llama_context_default_params": ([], llama_cpp.llama_context_params),
    "llama_get_logits_ith": ([POINTER, INT], FLOATS),
    "llama_log_set": ([llama_cpp.llama_log_callback, POINTER], None),
    "llama_model_n_layer": ([POINTER], INT),
    "llama_print_system_info": ([], BYTES),
    "llama_sampler_free": ([SAMPLER], None),
    "llama_sampler_init_grammar": ([POINTER, BYTES, BYTES], SAMPLER),
    "llama_state_seq_get_data": ([POINTER, CHARACTERS, SIZE, INT], SIZE),
    "llama_state_seq_get_size": ([POINTER, INT], SIZE),
    "llama_state_seq_set_data": ([POINTER, CHARACTERS, SIZE, INT], SIZE),
    "llama_supports_gpu_offload": ([], ctypes.c_bool),
}
METHODS = [
    (Llama.eval, "self tokens"),
    (LlamaModel.token_get_text, "self token"),
    (LlamaModel.token_bos, "self"),
    (LlamaModel.add_bos_token, "self"),
    (LlamaModel.n_vocab, "self"),
    (LlamaContext.__init__, "self model params verbose"),
    (LlamaContext.kv_cache_clear, "self"),
    (LlamaContext.kv_cache_seq_rm, "self seq_id p0 p1"),
    (LlamaContext.decode, "self batch"),
    (LlamaContext.get_logits, "self"),
    (LlamaBatch.__init__, "self n_tokens embd n_seq_max verbose"),
    (LlamaBatch.set_batch, "self batch n_past logits_all"),
]
PARAMETERS = {"n_ctx", "n_batch", "n_ubatch", "n_outputs_max", "n_threads", "n_threads_batch", "cb_eval"}
USED = re.compile(
    r"\bllama_cpp\.llama_\w+\(|llama_cpp\._(?:internals|ggml)|llama\._(model|ctx|batch)\b|\.n_tokens = "
)
NATIVE = Path(rag_qa.__file__).parent / "backends" / "llama_native.py"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_c_functions_take_and_return_what_is_given_and_read(name):
    """A C function has the argument types and the result type that the adapter calls it with."""
    function = getattr(llama_cpp, name)
    arguments, result = FUNCTIONS[name]
    assert (list(function.argtypes), function.restype) == (arguments, result)


@pytest.mark.parametrize(
    ("method", "parameters"), METHODS, ids=lambda value: getattr(value, "__qualname__", "")
)
def test_methods_have_the_parameters_that_are_passed(method, parameters):
    """A method of a private class has just these parameters."""
    assert list(inspect.signature(method).parameters) == parameters.split()


def test_context_parameters_have_the_fields_that_are_set():
    """ctypes would take a field of another name in silence and llama.cpp would not see it."""
    assert {name for name, *_ in llama_cpp.llama_context_params._fields_} >= PARAMETERS


def test_ggml_tells_the_names_and_contents_of_tensors():
    """The functions that read a tensor are there; the callback takes a tensor, whether it is asked, and user data."""
    for name in ("ggml_get_name", "ggml_nelements", "ggml_backend_tensor_get"):
        assert getattr(libggml, name)
    callback = llama_cpp.llama_cpp.ggml_backend_sched_eval_callback
    assert callback._restype_ == ctypes.c_bool
    assert list(callback._argtypes_) == [POINTER, ctypes.c_bool, POINTER]


def test_a_batch_marks_the_tokens_that_give_logits():
    """A batch of tokens is filled from its first position, and each token's mark can be set."""
    batch = LlamaBatch(n_tokens=4, embd=0, n_seq_max=1)
    batch.set_batch([7, 8, 9], n_past=0, logits_all=False)
    batch.batch.logits[1] = True
    assert batch.batch.n_tokens == 3
    assert [batch.batch.token[n] for n in range(3)] == [7, 8, 9]
    assert [bool(batch.batch.logits[n]) for n in range(3)] == [False, True, True]
    batch.close()


def test_an_open_model_has_the_attributes_that_are_read_and_set():
    """`_model` holds the private model, `ctx` is the context, and `n_tokens` counts what was evaluated."""
    stand_in = SimpleNamespace(
        _model=SimpleNamespace(model="model"),
        _ctx=SimpleNamespace(ctx="context"),
        n_tokens=3,
        _is_recurrent=False,
        _is_hybrid=False,
    )
    assert (Llama.model.fget(stand_in), Llama.ctx.fget(stand_in)) == ("model", "context")
    Llama.reset(stand_in)
    assert stand_in.n_tokens == 0
    assert "self.vocab" in inspect.getsource(LlamaModel.token_bos)


def test_all_c_functions_are_in_the_list_and_in_one_file():
    """No other file uses private members or C functions, and each one that the adapter calls is checked above."""
    others = [path for path in NATIVE.parents[1].rglob("*.py") if path != NATIVE]
    assert [str(path) for path in others if USED.search(path.read_text("utf-8"))] == []
    called = set(re.findall(r"llama_cpp\.(llama_\w+)\(", NATIVE.read_text("utf-8")))
    assert called == FUNCTIONS.keys()
