import ast
import os
import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from unittest.mock import ANY

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from rag_qa.backends.locating import WRITER, LocatedModel
from rag_qa.errors import ModelError

pytestmark = pytest.mark.process

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def scripts(monkeypatch):
    """Make the set-up scripts importable, as they are to each other."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))


PINS = [
    line
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]


def constraints():
    """The version of each package; of one with several, that of the newest Python."""
    return dict(line.split()[0].split("==") for line in PINS)


def requirements():
    project = PROJECT["project"]
    return [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
        *(line for group in PROJECT["dependency-groups"].values() for line in group if isinstance(line, str)),
        *PROJECT["build-system"]["requires"],
    ]


@pytest.mark.parametrize("line", requirements())
def test_every_requirement_has_a_constraint_that_satisfies_it(line):
    """constraints.txt pins each requirement of pyproject.toml; if not, run `make constraints`."""
    requirement = Requirement(line)
    assert constraints()[canonicalize_name(requirement.name)] in requirement.specifier


def test_torch_is_pinned_without_a_build_tag():
    """torch is pinned to one version, and no pin names a local build such as +cpu."""
    assert constraints()["torch"] == "2.13.0"
    assert not [version for version in constraints().values() if "+" in version]


def test_every_pin_has_the_hashes_of_its_files():
    """A pin is one version, for some platforms or for all, and the SHA-256 of each of its files."""
    hashed = re.compile(r"[a-z0-9-]+==[^\s;]+(?: ; .+?)?(?: --hash=sha256:[0-9a-f]{64})+")
    assert [line for line in PINS if not hashed.fullmatch(line)] == []
    assert len(PINS) > 200


def test_the_version_check_reads_on_old_pythons():
    """check_python.py holds no syntax that a Python 3.4 cannot read, so that it can report it."""
    source = (ROOT / "scripts" / "check_python.py").read_text(encoding="utf-8")
    assert not [
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.JoinedStr | ast.NamedExpr)
    ]


def test_an_old_python_is_reported():
    """check_python.py names what is needed and how to choose another Python."""
    program = "import sys, runpy; sys.version_info = (3, 9, 1); runpy.run_path('scripts/check_python.py')"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "This is Python 3.9; rag_qa needs 3.11 or newer" in done.stderr
    assert "make PYTHON=python3.12" in done.stderr


@pytest.fixture
def pulled(monkeypatch):
    """The models that the set-up asked for, on a machine that has none and pulls them into /models."""
    import pull_writer

    asked = []

    def pull(entry, *, note):
        asked.append(entry.name)
        note("another way")
        return LocatedModel(entry=entry, path=Path("/models") / entry.filename, sha256=entry.sha256)

    monkeypatch.setattr(pull_writer, "is_here", lambda entry: False)
    monkeypatch.setattr(pull_writer, "pull_model", pull)
    return asked


def test_the_size_of_the_writer_is_printed_before_it_is_pulled(pulled, capsys):
    """Set-up says how large the download is and how to leave it out, then where the model is."""
    import pull_writer

    pull_writer.main()
    lines = capsys.readouterr().err.splitlines()
    assert pulled == [WRITER]
    assert "1.1 GB, once (WRITER=no leaves it out)" in lines[0]
    assert lines[1:] == ["another way", f"{WRITER} is in /models/qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"]


def test_a_writer_that_is_here_is_not_pulled(pulled, capsys, monkeypatch):
    """A fresh clone on a machine that has the writer downloads nothing and says nothing."""
    import pull_writer

    monkeypatch.setattr(pull_writer, "is_here", lambda entry: True)
    pull_writer.main()
    assert pulled == []
    assert capsys.readouterr().err == ""


def test_set_up_goes_on_without_the_writer(pulled, capsys, monkeypatch):
    """A writer that cannot be downloaded is one line with the command to do it later, and nothing fails."""
    import pull_writer

    def fail(entry, *, note):
        raise ModelError("the hub cannot be reached")

    monkeypatch.setattr(pull_writer, "pull_model", fail)
    pull_writer.main()
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f"Going on without it; `rag-qa models pull {WRITER}` downloads it later.")
    assert last.endswith("the hub cannot be reached")


def test_the_build_leaves_amx_out_and_keeps_the_users_flags(monkeypatch):
    """On x86-64 the AMX switches follow the user's own flags; elsewhere none are added."""
    import build_llama

    monkeypatch.setenv("CFLAGS", "-O2")
    monkeypatch.setenv("CMAKE_ARGS", "-DGGML_VULKAN=on")
    monkeypatch.delenv("CXXFLAGS", raising=False)
    monkeypatch.setattr(build_llama, "compiler_knows", lambda options: True)
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    flags = build_llama.build_environment()
    assert flags["CFLAGS"] == "-O2 -mno-amx-tile -mno-amx-int8 -mno-amx-bf16"
    assert flags["CXXFLAGS"] == "-mno-amx-tile -mno-amx-int8 -mno-amx-bf16"
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    assert build_llama.build_environment()["CFLAGS"] == "-O2"


def test_the_users_cmake_arguments_win(monkeypatch):
    """What is left out of the build comes before the user's own arguments, of which CMake takes the last."""
    import build_llama

    monkeypatch.setenv("CMAKE_ARGS", "-DGGML_VULKAN=on -DLLAVA_BUILD=ON")
    assert (
        build_llama.build_environment()["CMAKE_ARGS"] == "-DLLAVA_BUILD=OFF -DGGML_VULKAN=on -DLLAVA_BUILD=ON"
    )
    monkeypatch.delenv("CMAKE_ARGS")
    assert build_llama.build_environment()["CMAKE_ARGS"] == "-DLLAVA_BUILD=OFF"


def test_the_library_of_the_programs_is_no_longer_forced_on(tmp_path):
    """The line that forces llama.cpp's common library on is deleted, and nothing else is."""
    import build_llama

    lists = tmp_path / "CMakeLists.txt"
    lists.write_text(f"# common\n    {build_llama.FORCED}\nset(LLAMA_CURL OFF)\n", encoding="utf-8")
    build_llama.free_common(lists)
    assert lists.read_text(encoding="utf-8").split() == ["#", "common", "set(LLAMA_CURL", "OFF)"]


def test_whatever_shapes_a_build_is_in_its_key(monkeypatch):
    """Another version, flag or processor gives another key; the same ones the same key."""
    import build_llama

    key = build_llama.build_key("llama-cpp-python==1", {})
    assert key == build_llama.build_key("llama-cpp-python==1", {})
    assert key != build_llama.build_key("llama-cpp-python==2", {})
    assert key != build_llama.build_key("llama-cpp-python==1", {"CMAKE_ARGS": "-DGGML_CUDA=on"})
    monkeypatch.setattr(build_llama, "processor", lambda: "another")
    assert key != build_llama.build_key("llama-cpp-python==1", {})


def test_a_finished_build_is_used_again(monkeypatch, tmp_path):
    """With the wheel in the cache nothing is compiled; the wheel is installed."""
    import build_llama
    import install_torch

    ran = []
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["build_llama.py"])
    monkeypatch.setattr(build_llama, "build_environment", dict)
    monkeypatch.setattr(build_llama, "pip", lambda *arguments: ran.append(arguments))
    monkeypatch.setattr(build_llama, "run_with_progress", lambda *_: pytest.fail("it compiled"))
    key = build_llama.build_key(install_torch.pinned("llama-cpp-python"), {})
    wheel = tmp_path / "rag_qa" / "wheels" / key / "llama.whl"
    wheel.parent.mkdir(parents=True)
    wheel.touch()
    build_llama.main()
    assert [arguments[-1] for arguments in ran] == [str(wheel)]
    monkeypatch.setattr(sys, "argv", ["build_llama.py", "--wheel"])
    build_llama.main()
    assert len(ran) == 1


def test_without_a_compiler_the_packages_are_named(monkeypatch):
    """A missing C compiler ends the build with the packages that bring one."""
    import build_llama

    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(SystemExit, match="apt install build-essential"):
        build_llama.compiler_knows(build_llama.NO_AMX)


@pytest.mark.parametrize(
    ("line", "step"), [("[12/193] Building CXX object", "12 of 193 files"), ("[ 45%] Building", "45 %")]
)
def test_the_progress_of_ninja_and_of_make_is_understood(line, step, monkeypatch, capfd):
    """A step of either build tool becomes a line that says how far the build is."""
    import build_progress

    monkeypatch.setattr(build_progress, "LOG_SECONDS", 0.0)
    build_progress.Progress("llama.cpp").show(line)
    assert f"llama.cpp: {step}, 0:00 min" in capfd.readouterr().err


def test_a_failing_build_shows_its_last_lines(capfd):
    """When the compilation fails its last 40 lines are on stderr, and its status is returned."""
    import build_progress

    program = "import sys; [print('line', n) for n in range(100)]; sys.exit(3)"
    command = [sys.executable, "-c", program]
    assert build_progress.run_with_progress("llama.cpp", command, dict(os.environ)) == 3
    shown = capfd.readouterr().err.splitlines()
    assert "line 60" in shown
    assert "line 99" in shown
    assert "line 59" not in shown


def test_an_index_that_cannot_be_reached_is_not_used():
    """A torch index that does not answer is recognised at once."""
    import install_torch

    assert not install_torch.reachable("http://127.0.0.1:9")
    assert not install_torch.reachable("no address")


@pytest.fixture
def torch_calls(monkeypatch):
    """The calls of pip by install_torch.py on a machine with another torch, where `refused` requirements fail."""
    import install_torch

    class Calls(list):
        refused = ()

        def __call__(self, *arguments, quiet=False):
            self.append(arguments)
            return arguments[-1] not in self.refused

    calls = Calls()
    monkeypatch.delenv("TORCH_INDEX", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(install_torch, "pip", calls)
    monkeypatch.setattr(install_torch, "reachable", lambda index: True)
    monkeypatch.setattr(install_torch, "version", lambda name: "1.0")
    return calls


TORCH = f"torch=={constraints()['torch']}"
CPU_BUILDS = "https://download.pytorch.org/whl/cpu"
GPU_BUILDS = "https://download.pytorch.org/whl/cu128"


def test_a_torch_that_is_installed_stays(torch_calls, monkeypatch):
    """With the pinned torch installed, in whichever build, pip is not called."""
    import install_torch

    monkeypatch.setattr(install_torch, "version", lambda name: f"{constraints()['torch']}+cpu")
    install_torch.main()
    assert torch_calls == []


@pytest.mark.parametrize(
    ("index", "checked"), [(CPU_BUILDS, True), ("", True), (GPU_BUILDS, False)], ids=["cpu", "pip", "gpu"]
)
def test_torch_is_checked_against_our_hashes_if_they_are_of_its_index(
    index, checked, torch_calls, monkeypatch
):
    """The CPU builds and PyPI's have hashes in constraints.txt; another index brings its own, and its own libraries."""
    import install_torch

    monkeypatch.setenv("TORCH_INDEX", index)
    install_torch.main()
    ((*options, requirement),) = torch_calls
    assert requirement == TORCH
    assert (f"--constraint={install_torch.CONSTRAINTS}" in options) == ("--no-deps" in options) == checked
    assert [f"--index-url={index}"] * bool(index) == [option for option in options if "index" in option]


@pytest.mark.parametrize("has_cpu_build", [True, False])
def test_without_the_index_pips_own_may_have_the_cpu_build(has_cpu_build, torch_calls, monkeypatch):
    """If the CPU index is out of reach, its build is asked of pip's own index, then PyPI's; both are checked."""
    import install_torch

    torch_calls.refused = () if has_cpu_build else (f"{TORCH}+cpu",)
    monkeypatch.setattr(install_torch, "reachable", lambda index: False)
    install_torch.main()
    assert [call[-1] for call in torch_calls] == [f"{TORCH}+cpu", TORCH][: 1 if has_cpu_build else 2]
    assert all(f"--constraint={install_torch.CONSTRAINTS}" in call for call in torch_calls)


def test_a_torch_that_cannot_be_installed_ends_the_set_up(torch_calls):
    """If pip fails, the script exits with what to do."""
    import install_torch

    torch_calls.refused = (TORCH,)
    with pytest.raises(SystemExit, match="Run make again"):
        install_torch.main()


@pytest.fixture
def downloads(monkeypatch):
    """What download.py runs and installs, in order, on a machine on which each step succeeds."""
    import download

    steps = []
    monkeypatch.setattr(download, "run", lambda *arguments: steps.append([Path(arguments[0]).name]))
    monkeypatch.setattr(download, "install", lambda *arguments: steps.append(list(arguments)))
    return steps


def test_torch_is_downloaded_before_what_needs_it(downloads, monkeypatch, tmp_path):
    """download.py brings torch, then the libraries and the starter models, then, once, the writer."""
    import download

    marker = tmp_path / "writer"
    monkeypatch.setattr(sys, "argv", ["download.py", "--writer", str(marker)])
    download.main()
    assert [step[0] for step in downloads] == ["install_torch.py", ANY, "--no-deps", "pull_writer.py"]
    assert marker.exists()
    download.main()
    assert len(downloads) == 7


def test_every_library_is_downloaded_but_the_one_that_is_compiled(downloads, monkeypatch):
    """download.py installs what pyproject.toml requires of users, without llama-cpp-python and what requires it."""
    import download

    monkeypatch.setattr(sys, "argv", ["download.py"])
    download.main()
    _, libraries, starter = downloads
    project = PROJECT["project"]
    names = {Requirement(line).name for line in libraries}
    assert {Requirement(line).name for line in project["dependencies"]} - names == {"llama-cpp-python"}
    assert starter == ["--no-deps", *project["optional-dependencies"]["starter"]]


@pytest.fixture
def pip(monkeypatch):
    """The arguments of each call of `pip install` by install_libraries.py."""
    import install_libraries

    calls = []
    monkeypatch.setattr(install_libraries, "pip", lambda *arguments: calls.append(arguments))
    return calls


def test_libraries_are_checked_against_their_hashes_and_rag_qa_comes_alone(pip):
    """What is downloaded is constrained, and never compiles llama.cpp; rag_qa, a folder without a hash, has no deps."""
    import install_libraries

    install_libraries.main()
    libraries, ours = pip
    project = PROJECT["project"]
    assert {*project["dependencies"], *project["optional-dependencies"]["starter"]} < set(libraries)
    assert {f"--constraint={ROOT / 'constraints.txt'}", "--only-binary=llama-cpp-python"} < set(libraries)
    assert {"--no-deps", f"--editable={ROOT}"} < set(ours)


def test_constraints_keep_the_hashes_of_cpu_builds_if_their_index_is_out_of_reach(monkeypatch, tmp_path):
    """The hashes of torch's CPU builds stay for the same version; for another one nothing is guessed."""
    import constraints as script

    file = tmp_path / "constraints.txt"
    file.write_text(f"torch==1.0 --hash=sha256:{'a' * 64}\n", encoding="utf-8")
    monkeypatch.setattr(script, "CONSTRAINTS", file)
    monkeypatch.setattr(script, "CPU_INDEX", "http://127.0.0.1:9")
    assert script.cpu_hashes("torch==1.0") == ["a" * 64]
    with pytest.raises(SystemExit, match=r"no hashes of torch==2\.0"):
        script.cpu_hashes("torch==2.0")


def test_a_package_of_a_requirements_file_becomes_one_line():
    """Hashes on lines of their own join the package's line, and comments go."""
    import constraints as script

    text = "# made by uv\na==1 ; os_name == 'posix' \\\n    --hash=sha256:1 \\\n    --hash=sha256:2\nb==2\n"
    assert script.packages(text) == ["a==1 ; os_name == 'posix' --hash=sha256:1 --hash=sha256:2", "b==2"]


def test_a_download_that_fails_ends_the_others():
    """download.py stops at a step that fails, with its exit status."""
    import download

    with pytest.raises(SystemExit, match="7"):
        download.run("-c", "import sys; sys.exit(7)")


@pytest.fixture
def beside(monkeypatch, tmp_path):
    """Give side_by_side.py a download and a compiler: a program, and what happens instead of the build."""
    import side_by_side

    def use(program, compiled):
        download = tmp_path / "download.py"
        download.write_text(program, encoding="utf-8")
        monkeypatch.setattr(side_by_side, "DOWNLOAD", download)
        monkeypatch.setattr(side_by_side, "ready_wheel", compiled)
        # The handlers of a pytest run stay as they are.
        monkeypatch.setattr("signal.signal", lambda number, handler: None)
        monkeypatch.setattr(sys, "argv", ["side_by_side.py", str(tmp_path / "log"), "--writer", "file"])
        return side_by_side.main

    return use


def test_what_the_downloads_say_follows_the_compilers_words(beside, capfd):
    """The downloads' words appear when the compiler is done, and a failed download fails nothing."""
    main = beside(
        "import sys; print('downloading', *sys.argv[1:]); sys.exit('no network')",
        lambda: print("compiled", file=sys.stderr),
    )
    main()
    lines = capfd.readouterr().err.splitlines()
    assert "in the background" in lines[0]
    assert lines[1] == "compiled"
    assert sorted(lines[2:]) == ["downloading --writer file", "no network"]


def test_the_set_up_waits_for_the_downloads(beside, tmp_path):
    """When the compiler is done first, the downloads still come to their end."""
    done = tmp_path / "done"
    beside(f"import time, pathlib; time.sleep(0.5); pathlib.Path({str(done)!r}).touch()", lambda: None)()
    assert done.exists()


def test_a_build_that_fails_ends_the_downloads(beside, tmp_path):
    """When the compiler fails, what was being downloaded is ended together with all that it started."""
    child = "import time, os, pathlib; pathlib.Path('{}').write_text(str(os.getpid())); time.sleep(600)"
    number = tmp_path / "number"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child.format(number)!r}])"

    def fail():
        while not (number.exists() and number.read_text()):
            pass
        sys.exit("no compiler")

    with pytest.raises(SystemExit, match="no compiler"):
        beside(program, fail)()
    state = Path(f"/proc/{number.read_text()}/stat")
    while state.exists() and state.read_text().split()[2] != "Z":
        time.sleep(0.05)  # a child that lives on runs into the time limit of tests
