"""Byte code for the libraries that readers import late.

A reading process may write nowhere but in its scratch folder, so Python cannot keep what it compiled there: a library
without byte code, as the installer leaves it, would be compiled again for every file.
"""

from __future__ import annotations

import compileall
import importlib.util
import os
from contextlib import suppress
from pathlib import Path

_IMPORTED_LATE = (
    "PIL",
    "charset_normalizer",
    "et_xmlfile",
    "exifread",
    "mutagen",
    "numpy",
    "olefile",
    "onnxruntime",
    "openpyxl",
    "oxmsg",
    "pdfminer",
    "pdfplumber",
    "py7zr",
    "pyarrow",
    "pymediainfo",
    "pypdf",
    "rapidocr",
    "rarfile",
    "striprtf",
    "tinytag",
    "tree_sitter",
    "xlrd",
    "yaml",
)


def compile_in_background() -> None:
    """Start a process that compiles what has no byte code yet, behind everything else that runs, and ends."""
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        return
    try:
        os.closerange(3, min(os.sysconf("SC_OPEN_MAX"), 65_536))  # the worker must see when the server ends
        if os.fork() == 0:  # nobody's child: nobody waits for it
            os.nice(19)
            for name in _IMPORTED_LATE:
                _compile(name)
    finally:
        os._exit(0)


def _compile(name: str) -> None:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.origin or not spec.has_location:
        return
    place = Path(spec.origin)
    with suppress(OSError, RecursionError):
        if not spec.submodule_search_locations:
            if os.access(place.parent, os.W_OK):
                compileall.compile_file(place, quiet=2)
        elif os.access(place.parent, os.W_OK) and not _is_compiled(place.parent):
            compileall.compile_dir(place.parent, quiet=2)


def _is_compiled(package: Path) -> bool:
    """Tell whether every module beside the package's first has its byte code: a look, not a proof."""
    modules = [module for module in package.iterdir() if module.suffix == ".py"]
    return all(Path(importlib.util.cache_from_source(str(module))).exists() for module in modules)
