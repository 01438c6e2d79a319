"""Build the pinned llama-cpp-python for this processor, keep the wheel, install it, and try it.

Parts that rag_qa never loads are not compiled. On x86-64, AMX is switched off, because llama.cpp crashes with it
(ggml-org/llama.cpp#20824). Your own CFLAGS, CXXFLAGS and CMAKE_ARGS (see models/README.md) win. The wheel is
kept in the user's cache folder under a key made of everything that shapes it. An interrupted build continues
where it stopped. `--wheel` only builds it. `--check` generates one token with the installed build; it needs
rag_qa and its starter model.
"""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from pathlib import Path

from build_progress import run_with_progress
from install_torch import CONSTRAINTS, pinned

NO_AMX = ("-mno-amx-tile", "-mno-amx-int8", "-mno-amx-bf16")
# libmtmd reads pictures and sounds; rag_qa has neither.
LEAN = "-DLLAVA_BUILD=OFF"
# llama-cpp-python also forces the library on that llama.cpp's own programs share. Without this line it is off.
FORCED = 'set(LLAMA_BUILD_COMMON ON CACHE BOOL "Build llama.cpp common library" FORCE)'
PACKAGES = """\
Building llama.cpp needs a C++ compiler and the Python headers:
  Debian, Ubuntu:  sudo apt install build-essential python3-dev
  Fedora:          sudo dnf install gcc gcc-c++ python3-devel
  macOS:           xcode-select --install
Then run make again: finished steps are not repeated."""


def main() -> None:
    """Build or reuse the wheel and install it; with `--check`, only try what is installed."""
    if "--check" in sys.argv[1:]:
        check()
        return
    wheel = ready_wheel()
    if "--wheel" not in sys.argv[1:]:
        print(f"llama.cpp: installing {wheel}", file=sys.stderr)
        pip("install", "-qq", "--force-reinstall", "--no-deps", str(wheel))


def ready_wheel() -> Path:
    """Return the wheel for this machine, compiled now unless the cache has it."""
    requirement = pinned("llama-cpp-python")
    flags = build_environment()
    folder = cache_folder() / "wheels" / build_key(requirement, flags)
    return next(folder.glob("*.whl"), None) or build_wheel(requirement, flags, folder)


def build_environment() -> dict[str, str]:
    """Return the variables that shape the build: the user's own, with AMX and unused parts switched off."""
    names = ("CMAKE_ARGS", "CFLAGS", "CXXFLAGS", "CC", "CXX")
    flags = {name: os.environ[name] for name in names if os.environ.get(name)}
    # The last of two values counts: the user's.
    flags["CMAKE_ARGS"] = f"{LEAN} {flags.get('CMAKE_ARGS', '')}".strip()
    if platform.machine().lower() in {"x86_64", "amd64"} and compiler_knows(NO_AMX):
        for name in ("CFLAGS", "CXXFLAGS"):
            flags[name] = " ".join([flags.get(name, ""), *NO_AMX]).strip()
    return flags


def compiler_knows(options: tuple[str, ...]) -> bool:
    """Return whether the C compiler accepts these options; one that does not cannot produce AMX either."""
    compiler = os.environ.get("CC", "cc")
    if shutil.which(compiler) is None:
        sys.exit(f"There is no C compiler ({compiler}).\n{PACKAGES}")
    command = [compiler, *options, "-E", "-x", "c", os.devnull]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def build_key(requirement: str, flags: dict[str, str]) -> str:
    """Return a name for the build that changes with the version, the Python, the flags and the processor."""
    parts = [
        requirement,
        FORCED,
        sysconfig.get_platform(),
        sys.implementation.cache_tag,
        repr(sorted(flags.items())),
    ]
    digest = hashlib.sha256("\n".join([*parts, processor()]).encode()).hexdigest()
    return f"{requirement.replace('==', '-')}-{digest[:12]}"


def processor() -> str:
    """Return the processor's instruction sets: llama.cpp compiles for exactly these."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        found = re.search(r"^(?:flags|Features)\s*:(.*)$", cpuinfo.read_text(encoding="utf-8"), re.MULTILINE)
        return found[1].strip() if found else platform.machine()
    if sys.platform == "darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return platform.processor()


def cache_folder() -> Path:
    """Return the user's cache folder for rag_qa."""
    default = Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    return Path(os.environ.get("XDG_CACHE_HOME") or default) / "rag_qa"


def build_wheel(requirement: str, flags: dict[str, str], folder: Path) -> Path:
    """Compile the wheel into `folder`, which appears only when the wheel is complete; return the wheel."""
    work = cache_folder() / "builds" / folder.name
    source = unpacked_source(requirement, work)
    shown = " ".join(f"{name}='{value}'" for name, value in sorted(flags.items())) or "no flags"
    print(f"llama.cpp: building {requirement} ({shown}); this takes some minutes, once.", file=sys.stderr)
    result = work / "wheel"
    command = [sys.executable, "-m", "pip", "wheel", "--verbose", "--no-deps", f"--wheel-dir={result}"]
    command += [f"--build-constraint={CONSTRAINTS}", f"--config-settings=build-dir={work / 'cmake'}"]
    if run_with_progress("llama.cpp", [*command, str(source)], {**os.environ, **flags}) != 0:
        sys.exit(f"\nllama.cpp could not be built; the lines above say why.\n{PACKAGES}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    os.replace(result, folder)
    shutil.rmtree(work, ignore_errors=True)
    return next(folder.glob("*.whl"))


def unpacked_source(requirement: str, work: Path) -> Path:
    """Download the source once, check its hash, and unpack it; a second attempt reuses it and what it compiled."""
    name, _, version = requirement.partition("==")
    source = work / "source"
    if not source.exists():
        work.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=work) as folder:
            options = ["--no-deps", f"--no-binary={name}", f"--constraint={CONSTRAINTS}", f"--dest={folder}"]
            pip("download", "-qq", *options, requirement)
            archive = next(Path(folder).glob("*.tar.gz"))
            with tarfile.open(archive) as stream:
                if hasattr(tarfile, "data_filter"):
                    stream.extractall(folder, filter="data")
                else:  # Python 3.11.3 and older, Debian 12's among them, have no filters.
                    stream.extractall(folder)
            unpacked = next(Path(folder).glob(f"*{version}/"))
            free_common(unpacked / "CMakeLists.txt")
            os.replace(unpacked, source)
    return source


def free_common(lists: Path) -> None:
    """Delete the line that forces the library of llama.cpp's programs on."""
    lists.write_text(lists.read_text(encoding="utf-8").replace(FORCED, ""), encoding="utf-8")


def pip(*arguments: str) -> None:
    """Run pip in this environment; exit if it fails. pip prints the reason itself."""
    if subprocess.run([sys.executable, "-m", "pip", *arguments], check=False).returncode != 0:
        sys.exit(f"pip {arguments[0]} failed; the lines above say why. Run make again to go on.")


def check() -> None:
    """Generate one token with the starter model, in a child process; if that fails, exit with what to do."""
    from rag_qa.backends.locating import locate_model
    from rag_qa.backends.probing import probe_llama
    from rag_qa.errors import RagQAError

    try:
        result = probe_llama(locate_model("SmolLM2-135M-Instruct", kind="generator").path)
    except RagQAError as exc:
        sys.exit(str(exc))
    if result.failure is not None:
        sys.exit(result.failure)
    print(f"llama.cpp: works on this processor ({result.seconds:.1f} s for one token)", file=sys.stderr)


if __name__ == "__main__":
    main()
