"""Which files a reading process needs besides its input: Python, its libraries, and what the system's own read."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import sysconfig
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from files.extraction.base import Extractor, Source
from files.extraction.isolation.landlock import FileAccess
from files.extraction.options import Options

_PROJECT = Path(__file__).resolve().parents[3]
_OWN_CODE = ("files", "orchestra/common")  # never the whole project: uploads and secrets may lie in it
_LIBRARIES = ("stdlib", "platstdlib", "purelib", "platlib")
_SYSTEM = (
    *(f"{top}/{folder}" for top in ("/usr", "/usr/local") for folder in ("bin", "lib", "lib32", "lib64", "libexec")),
    *("/lib", "/lib32", "/lib64", "/bin", "/usr/share", "/usr/local/share", "/nix/store"),
)  # never /usr as a whole: a project may lie in /usr/src
_SYSTEM_FACTS = (
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/timezone",
    "/etc/mime.types",
    "/etc/fonts",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/sys/vm/overcommit_memory",
    "/sys/devices/system/cpu",
    "/dev/urandom",
    "/dev/random",
)
_DEVICES = ("/dev/null", "/dev/zero")


def access_of(source: Source, extractor: Extractor) -> FileAccess:
    """Return what the reading of `source` may open: its bytes, its scratch folder, and what `extractor` runs on."""
    code = sys.modules[type(extractor).__module__].__file__
    own = (str(source.path), "/proc/self", *((str(Path(code).parent),) if code else ()))
    model = (source.options.speech_model,) if source.options.speech_model else ()
    return FileAccess(
        read=(*own, *model, *_python()),
        run=_system(),
        devices=_DEVICES,
        keep=(str(source.scratch),) if source.scratch else (),
    )


def may_start_programs(extractor: Extractor, options: Options) -> bool:
    """Tell whether a reader may start a program: only where text recognition has no library and takes `tesseract`."""
    return extractor.starts_programs or (options.ocr in ("auto", "tesseract") and _recogniser_is_a_program(options.ocr))


@cache
def _recogniser_is_a_program(wanted: str) -> bool:
    if wanted == "auto" and importlib.util.find_spec("rapidocr"):
        return False
    return shutil.which("tesseract") is not None


@cache
def _system() -> tuple[str, ...]:
    return _outermost(_SYSTEM)


@cache
def _python() -> tuple[str, ...]:
    """Return the folders of Python's library and of the installed packages, this project's code, and facts to read."""
    found = [sysconfig.get_path(name) for name in _LIBRARIES]
    found += [str(Path(prefix) / "lib") for prefix in (sys.prefix, sys.base_prefix)]
    found += [entry for entry in sys.path if entry and not _PROJECT.is_relative_to(Path(entry).resolve())]
    found += [str(_PROJECT / package) for package in _OWN_CODE]
    return tuple(path for path in _outermost((*found, *_SYSTEM_FACTS)) if path not in _system())


def _outermost(paths: Iterable[str]) -> tuple[str, ...]:
    """Return the real paths of those that exist, without those that lie below another."""
    kept = sorted({os.path.realpath(path) for path in paths if Path(path).exists()})
    return tuple(path for path in kept if not any(path.startswith(other + os.sep) for other in kept))
