"""Nothing in rag_qa runs code that it reads: no pickle, no model's own modules, no shell, no text as a program."""

import ast
import tomllib
from pathlib import Path

import pytest

import rag_qa

PACKAGE = Path(rag_qa.__file__).parent
ROOT = PACKAGE.parent
FILES = sorted(PACKAGE.rglob("*.py"))
# Modules whose reading of a file may run what the file says, or that start a program by an unquoted line.
MODULES = {
    "pickle",
    "cPickle",
    "_pickle",
    "dill",
    "cloudpickle",
    "joblib",
    "shelve",
    "marshal",
    "runpy",
    "diskcache",
}
# Calls by the last two parts of their names; a name alone is a built-in function.
CALLS = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "os.system",
    "os.popen",
    "torch.load",
    "torch.hub",
    "yaml.load",
    "yaml.load_all",
    "yaml.full_load",
    "yaml.unsafe_load",
    "pandas.read_pickle",
    "pd.read_pickle",
    "importlib.import_module",
    "subprocess.getoutput",
    "subprocess.getstatusoutput",
    "llama_cpp.LlamaDiskCache",
    "LlamaDiskCache",
    "ast.literal_eval",
    "pty.spawn",
}
# Where such a call is safe, and why.
SAFE = {
    ("backends/loading.py", "pickle"): "names an error that torch raises, and unpickles nothing",
    ("corpus/literals.py", "ast.literal_eval"): "reads literals only, and runs nothing",
}
# Values of arguments that permit what is forbidden or turn a check off; one that is computed may be such a value.
ARGUMENTS = {
    "trust_remote_code": True,
    "shell": True,
    "allow_pickle": True,
    "weights_only": False,
    "verify": False,
}


def faults(source):
    """Yield the name of each forbidden module, call and argument of a program."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            yield str(node.module)
        elif isinstance(node, ast.Call):
            yield from _faults_of(node)


def _faults_of(call):
    name = ".".join(ast.unparse(call.func).split(".")[-2:])
    if name in CALLS:
        yield name
    for given in (given for given in call.keywords if given.arg in ARGUMENTS):
        if not isinstance(given.value, ast.Constant) or given.value.value == ARGUMENTS[given.arg]:
            yield f"{given.arg}={ast.unparse(given.value)}"


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(PACKAGE)) for path in FILES])
def test_no_file_runs_what_it_reads(path):
    """No module imports pickle or its like, evaluates text, starts a shell, or lets a library do so."""
    name = path.relative_to(PACKAGE).as_posix()
    found = {fault for fault in faults(path.read_text("utf-8")) if (name, fault) not in SAFE}
    assert found == set()


def test_each_exception_is_used():
    """An exception whose reason has gone is taken off the list."""
    for name, fault in SAFE:
        assert fault in set(faults((PACKAGE / name).read_text("utf-8")))


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from joblib import load",
        "import cloudpickle as c",
        "def f():\n    from dill import loads",
        "eval(text)",
        "exec(text)",
        "__import__(name)",
        "torch.load(path)",
        "yaml.load(text, Loader)",
        "os.system(line)",
        "np.load(path, allow_pickle=True)",
        "np.load(path, allow_pickle=chosen)",
        "subprocess.run(line, shell=True)",
        "SentenceTransformer(name, trust_remote_code=True)",
        "AutoModel.from_pretrained(name, trust_remote_code=settings.trust)",
        "torch.jit.something(weights_only=False)",
        "client.get(url, verify=False)",
        "llama_cpp.LlamaDiskCache()",
    ],
)
def test_the_search_finds(source):
    """Each forbidden form is found, at the top and in functions."""
    assert list(faults(source))


@pytest.mark.parametrize(
    "source",
    [
        "np.load(path)",
        "np.load(path, allow_pickle=False)",
        "yaml.safe_load(text)",
        "llama.eval(tokens)",
        "model.eval()",
        "re.compile(pattern)",
        "subprocess.run([program])",
    ],
)
def test_the_search_leaves_alone(source):
    """What only sounds alike is permitted: reading arrays, tokens put into a model, patterns, a program by its list."""
    assert list(faults(source)) == []


def test_model_folders_are_read_by_a_version_that_runs_none_of_their_code():
    """sentence-transformers 6 loads no module class from a folder of a model unasked; an older one will not do."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (bound,) = (need for need in project["dependencies"] if need.startswith("sentence-transformers"))
    assert int(bound.partition(">=")[2].split(".")[0]) >= 6
