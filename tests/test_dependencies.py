"""What is downloaded is what was pinned, and what is known to be vulnerable is listed with the reason why it stays."""

import hashlib
import re
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAKEFILE = (ROOT / "Makefile").read_text("utf-8").replace("\\\n", " ")
CHECKED = ("--constraint constraints.txt", "--requirement $(DONE)/pip.txt")


def test_every_install_is_checked_against_the_hashes():
    """Each call of pip in the Makefile names constraints.txt, or lines taken from it; scripts have their own tests."""
    called = [line for line in MAKEFILE.splitlines() if re.search(r"\bpip\b.*\binstall\b|\$\(PIP\)", line)]
    assert len(called) == 4
    assert [line for line in called if not any(option in line for option in CHECKED)] == []
    assert (
        "$(DONE)/pip.txt: constraints.txt | $(DONE)/python\n\t@sed -n '/^pip==/p' constraints.txt > $@"
        in MAKEFILE
    )
    used = [line for line in MAKEFILE.splitlines() if line.startswith("\t") and "$(INSTALL)" in line]
    assert used == ["\t$(INSTALL) --build-constraint constraints.txt --group dev"]


def test_every_advisory_that_is_let_pass_has_a_reason():
    """`make audit` passes over exactly the advisories that the threat model lists, each with why it does no harm."""
    (ignored,) = re.findall(r"^UNREACHABLE := (.*)$", MAKEFILE, re.MULTILINE)
    page = (ROOT / "docs" / "threat-model.md").read_text("utf-8")
    listed = dict(re.findall(r"^\| (CVE-[\d-]+) \| [\w-]+ \| (.+) \|$", page, re.MULTILINE))
    assert sorted(listed) == sorted(ignored.split())
    assert all(listed.values())


def test_onnx_runtime_sends_nothing_to_its_makers():
    """The build of ONNX Runtime that is installed has no code that sends usage data; later ones do so by default."""
    folder = Path(str(find_spec("onnxruntime").origin)).parent / "capi"
    libraries = [file.read_bytes() for file in folder.iterdir() if file.suffix in (".so", ".dylib", ".pyd")]
    assert libraries
    assert not any(mark in content for content in libraries for mark in (b"OneCollector", b"OneDsTelemetry"))


@pytest.fixture
def wheel(tmp_path):
    """A wheel of a package that nobody has published."""
    file = tmp_path / "links" / "rag_qa_pinned-1.0-py3-none-any.whl"
    file.parent.mkdir()
    parts = {
        "METADATA": "Metadata-Version: 2.1\nName: rag-qa-pinned\nVersion: 1.0\n",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": "",
    }
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("rag_qa_pinned.py", "")
        for name, text in parts.items():
            archive.writestr(f"rag_qa_pinned-1.0.dist-info/{name}", text)
    return file


@pytest.mark.process
@pytest.mark.parametrize("same", [True, False], ids=["the file", "another file"])
def test_pip_refuses_another_file(same, wheel, tmp_path):
    """A hash in a file of constraints is enough for pip to check a download: another file is refused."""
    digest = hashlib.sha256(wheel.read_bytes() if same else b"another").hexdigest()
    pins = tmp_path / "constraints.txt"
    pins.write_text(f"rag-qa-pinned==1.0 --hash=sha256:{digest}\n")
    options = [
        "--no-index",
        f"--find-links={wheel.parent}",
        f"--constraint={pins}",
        f"--target={tmp_path / 'there'}",
    ]
    command = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        *options,
        "rag-qa-pinned>=0.5",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == same, done.stderr
    assert same or "DO NOT MATCH THE HASHES" in done.stderr
