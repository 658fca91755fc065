"""Starting the web, the worker or a command loads no library that only some work needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# charset_normalizer is missing here on purpose: the REST framework imports requests where it is installed, which brings
# it along, and the recogniser of text in pictures requires requests.
HEAVY = {
    "torch", "transformers", "sentence_transformers", "tokenizers", "onnxruntime", "onnx", "numpy", "scipy", "sklearn",
    "pypdfium2", "pdfplumber", "pdfminer", "openpyxl", "docx", "lxml", "bs4", "PIL",
    "faiss", "grpc", "weaviate", "rapidocr", "cv2", "pymediainfo", "shapely", "mutagen", "tree_sitter", "openvino",
    "boto3", "botocore", "storages", "markdown_it", "pandas", "playwright", "pyarrow", "pytest",
    "mcp", "mcp_types", "starlette",
}  # fmt: skip

STARTS = {
    "settings": "import django.conf; django.conf.settings.DEBUG",
    "management command": "import django; django.setup(); from django.core import management as m; m.get_commands()",
    "migrate": "import django; django.setup(); from django.core.management import load_command_class as load; "
    "load('django.core', 'migrate'); from django.db.migrations.loader import MigrationLoader; MigrationLoader(None)",
    "run": "import django; django.setup(); import orchestra.embedded.management.commands.run",
    "web": "import orchestra.embedded.web, orchestra.asgi; import django.urls as u; u.get_resolver().url_patterns",
    "worker": "import celery_app; celery_app.app.loader.import_default_modules(); celery_app.app.finalize(auto=True)",
}


def _loaded(code: str) -> set[str]:
    """Return the top-level packages that a new Python has loaded after running `code`."""
    told = f"{code}\nimport sys, json; print(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    # With the product's own embedding engine, not the one of the tests.
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "orchestra.settings", "EMBEDDING_ENGINE": ""}
    command = [sys.executable, "-c", told]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("code", STARTS.values(), ids=STARTS.keys())
def test_start_loads_nothing_heavy(code: str) -> None:
    loaded = _loaded(code)
    assert "django" in loaded
    assert loaded & HEAVY == set()
