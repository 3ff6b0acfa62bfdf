"""Builds the wheel: the package's Python files, and in its lib/ libparallelstate.so.0 with its plugins. A PEP 517
backend.

A wheel is a zip file with three text files about itself, so that this needs no tool but cmake, and `pip install` of a
checkout nothing from the network. The library is compiled from the checkout, or, when PS_PREBUILT_LIBRARY names one,
that one is packed. The tag is py3-none-<platform>: the package is the same for every Python; the platform is the
machine that builds, because the library needs that machine's C and C++ runtime libraries or newer: no manylinux tag is
claimed.
"""

from __future__ import annotations

import base64
import ctypes
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any, Dict, Iterator, List, NoReturn, Optional, Tuple

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROJECT = Path(__file__).resolve().parents[1]
CHECKOUT = PROJECT.parents[1]
SONAME = "libparallelstate.so.0"

Entries = Iterator[Tuple[str, bytes]]


def build_wheel(wheel_directory: str, config_settings: Optional[Dict[str, Any]] = None,
                metadata_directory: Optional[str] = None) -> str:
    def entries() -> Entries:
        for path in sorted((PROJECT / "parallelstate").iterdir()):
            if path.suffix == ".py" or path.name == "py.typed":
                yield f"parallelstate/{path.name}", path.read_bytes()
        with tempfile.TemporaryDirectory(prefix="parallelstate-wheel-") as scratch:
            for name, data in _libraries(_project()["version"], Path(scratch)):
                yield f"parallelstate/lib/{name}", data

    return _write(wheel_directory, entries())


def build_editable(wheel_directory: str, config_settings: Optional[Dict[str, Any]] = None,
                   metadata_directory: Optional[str] = None) -> str:
    """For `pip install --editable`: a path into the checkout, whose build/lib the package then finds."""
    return _write(wheel_directory, iter([("parallelstate.pth", f"{PROJECT}\n".encode())]))


def build_sdist(sdist_directory: str, config_settings: Optional[Dict[str, Any]] = None) -> NoReturn:
    _fail("there is no source distribution of the Python package alone: its library is compiled from the C++ sources "
          "of the whole checkout. Build a wheel: pip wheel ./bindings/python")


def _fail(text: str) -> NoReturn:
    raise SystemExit(f"parallelstate: {text}")


def _project() -> Dict[str, Any]:
    with open(PROJECT / "pyproject.toml", "rb") as file:
        project: Dict[str, Any] = tomllib.load(file)["project"]
    return project


def _libraries(version: str, scratch: Path) -> Entries:
    """The shared library, after it has said that it is of this version, and its plugins, which lie beside it; all
    without debug information."""
    chosen = os.environ.get("PS_PREBUILT_LIBRARY")
    if chosen and not os.path.isfile(chosen):
        _fail(f"PS_PREBUILT_LIBRARY is {chosen}, and there is no such file")
    library = Path(chosen) if chosen else _compile(scratch / "build")
    packed = _stripped(library, scratch / SONAME)
    try:
        number = ctypes.CDLL(str(packed)).psVersion()
    except (OSError, AttributeError) as error:
        _fail(f"{library} is not a ParallelState library that this machine can load: {error}")
    found = f"{number // 10000}.{number // 100 % 100}.{number % 100}"
    if found != version:
        _fail(f"the library is version {found}, the package is {version}; they are released together")
    yield SONAME, packed.read_bytes()
    for plugin in sorted((library.parent / "parallelstate").glob("ps_*.so")):
        yield f"parallelstate/{plugin.name}", _stripped(plugin, scratch / plugin.name).read_bytes()


def _stripped(library: Path, packed: Path) -> Path:
    shutil.copyfile(library, packed)
    strip = shutil.which("strip")
    if strip:
        subprocess.run([strip, "--strip-unneeded", str(packed)], check=True)
    return packed


def _compile(build: Path) -> Path:
    if not (CHECKOUT / "include" / "parallelstate.h").is_file():
        _fail(f"the C++ sources are not there: {CHECKOUT} is not a checkout of ParallelState. Run pip in one "
              f"(pip install ./bindings/python), or set PS_PREBUILT_LIBRARY to the path of a {SONAME} to be packed")
    cmake = shutil.which("cmake")
    if cmake is None:
        _fail("compiling the library needs cmake, a C++20 compiler and the packages that docs/dependencies.md lists "
              f"(scripts/setup installs them). Or set PS_PREBUILT_LIBRARY to the path of a {SONAME} to be packed")
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    for step in ([cmake, "-S", str(CHECKOUT), "-B", str(build), *generator, "-DCMAKE_BUILD_TYPE=Release",
                  "-DPS_TESTS=OFF", "-DPS_SANITIZERS=OFF"],
                 [cmake, "--build", str(build), "--target", "parallelstate", "--parallel", str(os.cpu_count() or 1)]):
        if subprocess.run(step).returncode != 0:
            _fail(f"the library could not be compiled; what failed was: {' '.join(step)}")
    return build / "lib" / SONAME


def _metadata(project: Dict[str, Any]) -> str:
    lines = ["Metadata-Version: 2.1", f"Name: {project['name']}", f"Version: {project['version']}",
             f"Summary: {project['description']}", f"Requires-Python: {project['requires-python']}"]
    lines += [f"Classifier: {classifier}" for classifier in project["classifiers"]]
    for extra, requirements in project["optional-dependencies"].items():
        lines.append(f"Provides-Extra: {extra}")
        lines += [f'Requires-Dist: {requirement}; extra == "{extra}"' for requirement in requirements]
    lines += ["Description-Content-Type: text/markdown", "", (PROJECT / project["readme"]).read_text("utf-8")]
    return "\n".join(lines)


def _write(folder: str, contents: Entries) -> str:
    """Writes the wheel of `contents`; the same contents give the same bytes."""
    project = _project()
    tag = "py3-none-" + sysconfig.get_platform().replace("-", "_").replace(".", "_")
    stem = f"{project['name']}-{project['version']}"
    about = f"{stem}.dist-info"
    wheel = f"Wheel-Version: 1.0\nGenerator: parallelstate\nRoot-Is-Purelib: false\nTag: {tag}\n"
    texts = [(f"{about}/METADATA", _metadata(project).encode()), (f"{about}/WHEEL", wheel.encode())]
    # The second tells of the libraries whose code is in ours.
    for licence in (CHECKOUT / "LICENSE", CHECKOUT / "cmake" / "debian" / "copyright"):
        if licence.is_file():
            texts.append((f"{about}/licenses/{licence.name}", licence.read_bytes()))
    when = time.gmtime(max(int(os.environ.get("SOURCE_DATE_EPOCH", 0)), 315532800))[:6]  # a zip begins with 1980
    record: List[str] = []
    name = f"{stem}-{tag}.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w", zipfile.ZIP_DEFLATED) as archive:
        def add(path: str, data: bytes) -> None:
            entry = zipfile.ZipInfo(path, when)
            entry.external_attr = (0o100755 if ".so" in path else 0o100644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)

        for path, data in [*contents, *texts]:
            add(path, data)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append(f"{path},sha256={digest},{len(data)}\n")
        record.append(f"{about}/RECORD,,\n")
        add(f"{about}/RECORD", "".join(record).encode())
    return name
