"""Write constraints.txt: every package that rag_qa, its extras and its groups may need, with the hashes of its files.

One resolution serves Linux and macOS and every Python that rag_qa supports; markers say where a package is not
needed. A package takes one line, with the hash of each file of that version, so pip refuses any other file.
Nothing is installed. `make constraints` resolves everything anew; with names as arguments every pin stays but theirs,
and what pyproject.toml newly requires is added.
"""

import re
import subprocess
import sys
import tomllib
import urllib.request
from tempfile import NamedTemporaryFile

from install_torch import CONSTRAINTS, CPU_INDEX, REACH_SECONDS

ROOT = CONSTRAINTS.parent
# Versions that are chosen, not resolved.
CHOSEN = ["torch==2.13.0"]
# What installs packages, and what builds llama-cpp-python.
TOOLS = ["pip", "scikit-build-core"]
HEADER = """\
# Every package of the environment with the hashes of its files, one a line; written by `make constraints`. Do not
# edit: change pyproject.toml or CHOSEN in scripts/constraints.py and run it again.
"""
# A pin without its hashes: version and marker.
PIN = re.compile(r"^([a-z0-9-]+)==.*?(?= --hash=)", re.MULTILINE)
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def main() -> None:
    """Resolve, and replace constraints.txt only if that went well."""
    names = sys.argv[1:]
    lines = packages(resolve(kept_pins(names) if names else []))
    torch = next(line for line in lines if line.startswith("torch=="))
    lines[lines.index(torch)] = with_hashes(torch, cpu_hashes(torch.split()[0]))
    CONSTRAINTS.write_text(HEADER + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    print(f"constraints.txt: {len(lines)} packages", file=sys.stderr)


def kept_pins(names: list[str]) -> list[str]:
    """Return the pins of constraints.txt without their hashes, but for those of some packages."""
    return [pin[0] for pin in PIN.finditer(CONSTRAINTS.read_text(encoding="utf-8")) if pin[1] not in names]


def resolve(pins: list[str]) -> str:
    """Return what uv finds for all supported platforms under some pins, as a requirements file with hashes."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes"]
    command += ["--no-header", "--no-annotate", f"--python-version={oldest_python()}", "--all-extras"]
    wanted = "\n".join([*CHOSEN, *TOOLS])
    with NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write("\n".join(pins))
        file.flush()
        command += [
            "--group=dev",
            "--group=audit",
            f"--constraints={file.name}",
            str(ROOT / "pyproject.toml"),
            "-",
        ]
        done = subprocess.run(command, input=wanted, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
        return done.stdout


def oldest_python() -> str:
    """Return the oldest Python that pyproject.toml allows."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(table["requires-python"]).removeprefix(">=")


def packages(requirements: str) -> list[str]:
    """Put each package of a requirements file on one line."""
    joined = re.sub(r" *\\\n *", " ", requirements)
    return [line for line in joined.splitlines() if "==" in line]


def cpu_hashes(requirement: str) -> list[str]:
    """Return the hashes of torch's CPU builds for Linux, from their index, else from the constraints.txt of before.

    Exits if neither knows them: set-up on Linux would refuse the CPU build.
    """
    version = requirement.partition("==")[2]
    name = re.compile(
        rf"torch-{re.escape(version)}(?:\+|%2B)cpu-[^\"#]*linux[^\"#]*\.whl#sha256=([0-9a-f]{{64}})"
    )
    try:
        with urllib.request.urlopen(f"{CPU_INDEX}/torch/", timeout=REACH_SECONDS) as page:
            return sorted(set(name.findall(page.read().decode())))
    except OSError:
        before = next(
            line for line in CONSTRAINTS.read_text("utf-8").splitlines() if line.startswith("torch==")
        )
        if before.split()[0] != requirement:
            sys.exit(f"{CPU_INDEX} cannot be reached, and constraints.txt has no hashes of {requirement}.")
        print(f"{CPU_INDEX} cannot be reached: the hashes of its builds stay as they were.", file=sys.stderr)
        return HASH.findall(before)


def with_hashes(line: str, hashes: list[str]) -> str:
    """Add hashes to a package's line."""
    missing = sorted(set(hashes) - set(HASH.findall(line)))
    return " ".join([line, *(f"--hash=sha256:{digest}" for digest in missing)])


if __name__ == "__main__":
    main()
