"""Uploads, the pipeline, extraction, chunking, embedding, search."""

from __future__ import annotations

from typing import Any

from orchestra.common.machine import machine_memory
from orchestra.settings.base import STATE_DIR
from orchestra.settings.env import PACKAGED_MODEL, environment
from orchestra.settings.secrets import secret_in
from orchestra.settings.server_variables import BASE_DIR

_env = environment()

UPLOAD_DIR = _env.upload_dir or STATE_DIR / "uploads"
# Where bytes can be; new ones go to FILE_STORAGE. Files that lie in another one stay readable.
FILE_STORAGES: dict[str, dict[str, Any]] = {"local": {"BACKEND": "files.storage.local.LocalStorage"}}
if _env.s3_bucket:
    FILE_STORAGES["s3"] = {
        "BACKEND": "files.storage.s3.S3Storage",
        "OPTIONS": {
            "bucket": _env.s3_bucket,
            "endpoint_url": _env.s3_endpoint_url,
            "region": _env.s3_region,
            "access_key": _env.s3_access_key,
            "secret_key": _env.s3_secret_key or secret_in(_env.s3_secret_key_file),
            "prefix": _env.s3_prefix,
            "path_style": _env.s3_path_style,
        },
    }
FILE_STORAGE = _env.file_storage
MAX_FILE_SIZE = _env.max_file_size
UPLOAD_CHUNK_SIZE = _env.upload_chunk_size
UPLOAD_CHUNK_SIZE_RANGE = (64 * 1024, 64 * 1024**2)
UPLOAD_EXPIRY_HOURS = _env.upload_expiry_hours
SMALL_UPLOAD_LIMIT = min(_env.small_upload_limit, _env.max_file_size)
DEFAULT_QUOTA = _env.default_quota
MAX_FILES = _env.max_files
MAX_UPLOADS = _env.max_uploads
TRASH_DAYS = _env.trash_days

# Read top to bottom, like MIDDLEWARE. Each is a subclass of files.pipeline.Stage.
FILE_PIPELINE = [
    "files.extraction_stage.ExtractStage",
    "search.indexing.stage.IndexStage",
]

EXTRACTION_SECONDS = _env.extraction_seconds
EXTRACTION_MEMORY_MB = _env.extraction_memory_mb
# The fields of files.extraction.options.Options.
EXTRACTION_OPTIONS: dict[str, Any] = {
    "archive_members": _env.archive_members,
    "ocr": _env.ocr_engine,
    "ocr_languages": _env.ocr_languages,
    "speech": _env.speech_engine,
    "speech_model": str(_env.speech_model_dir or ""),
    "thumbnails": _env.thumbnails,
}

# Seconds on the database's clock: heartbeat < lease < sweep.
JOB_HEARTBEAT_SECONDS = 10
JOB_LEASE_SECONDS = 30
JOB_MAX_ATTEMPTS = 3
# Faults that say nothing about the file, such as a database that restarts; with growing pauses about an hour.
JOB_MAX_INTERRUPTIONS = 20

_ENGINES = {
    "auto": "search.indexing.automatic.AutomaticEmbedder",
    "fast": "search.indexing.fast.FastEmbedder",
    "onnx": "search.indexing.embedders.onnx.OnnxEmbedder",
    "openvino": "search.indexing.embedders.openvino.OpenVinoEmbedder",
    "sentence-transformers": "search.indexing.embedders.sentence_transformers.SentenceTransformerEmbedder",
    "provider": "search.indexing.provider_embedder.ProviderEmbedder",
    "hashing": "search.indexing.embedders.hashing.HashingEmbedder",
}
_PREPARED: dict[str, object] = {"cache_dir": _env.model_dir or STATE_DIR / "models", "threads": _env.embedding_threads}
_ENGINE_OPTIONS: dict[str, dict[str, object]] = {
    "auto": _PREPARED,
    "fast": _PREPARED,
    "onnx": _PREPARED,
    "openvino": _PREPARED,
    "sentence-transformers": {"threads": _env.embedding_threads},
    "provider": {
        "base_url": _env.embedding_url,
        "model": _env.embedding_model,
        "key": _env.embedding_api_key,
        "dimensions": _env.embedding_dimensions,
        "max_tokens": _env.embedding_tokens,
        "seconds": _env.embedding_seconds,
    },
}
# Beside the one that is used, those whose vectors may still be searched until theirs are complete.
EMBEDDERS = {
    "default": {
        "BACKEND": _ENGINES[_env.embedding_engine],
        "OPTIONS": _ENGINE_OPTIONS.get(_env.embedding_engine, {}),
    },
    "packaged": {"BACKEND": _ENGINES["auto"], "OPTIONS": _PREPARED},
    "packaged-int8": {"BACKEND": _ENGINES["fast"], "OPTIONS": _PREPARED},
}
if _env.embedding_model != PACKAGED_MODEL and _env.embedding_engine != "provider":
    EMBEDDERS["default"] = {
        "BACKEND": _ENGINES["sentence-transformers"],
        "OPTIONS": {"folder": _env.embedding_model, "threads": _env.embedding_threads},
    }
SEARCH_EXACT_ROWS = _env.search_exact_rows
SEARCH_INDEX_MEMORY = _env.search_index_memory_mb * 1024**2 or machine_memory() // 4
_STORES: dict[str, dict[str, Any]] = {
    "pgvector": {
        "BACKEND": "search.vector_stores.pgvector.PgVectorStore",
        "OPTIONS": {"exact_rows": SEARCH_EXACT_ROWS},
    },
    "faiss": {
        "BACKEND": "search.vector_stores.faiss.FaissStore",
        "OPTIONS": {"folder": STATE_DIR / "faiss"},
    },
    "weaviate": {
        "BACKEND": "search.vector_stores.weaviate.WeaviateStore",
        "OPTIONS": {
            "url": _env.weaviate_url,
            "grpc_port": _env.weaviate_grpc_port,
            "api_key": _env.weaviate_api_key,
        },
    },
}
VECTOR_STORES = {"default": _STORES[_env.vector_store_type]}
SEARCH_MODES = {
    "basic": {"BACKEND": "search.modes.basic.BasicMode"},
    "deep": {"BACKEND": "search.modes.deep.DeepMode"},
    "super_deep": {"BACKEND": "search.modes.super_deep.SuperDeepMode"},
    "creative": {"BACKEND": "search.modes.creative.CreativeMode"},
    "private": {"BACKEND": "search.modes.private.PrivateMode"},
    "uncensored": {"BACKEND": "search.modes.uncensored.UncensoredMode"},
}

# Empty: no reranker. What a search takes of it is decided by the mode.
RERANKERS: dict[str, dict[str, Any]] = {
    "off": {},
    "cross-encoder": {
        "default": {
            "BACKEND": "search.rerankers.cross_encoder.CrossEncoderReranker",
            "OPTIONS": {"model": BASE_DIR / _env.reranker_model, "threads": _env.embedding_threads},
        }
    },
    "provider": {
        "default": {
            "BACKEND": "search.rerankers.provider.ProviderReranker",
            "OPTIONS": {
                "url": _env.reranker_url,
                "model": _env.reranker_model,
                "key": _env.reranker_api_key,
                "seconds": _env.rerank_seconds,
            },
        }
    },
}[_env.reranker]
RERANK_DEPTH = _env.rerank_depth

CHUNK_SIZE = _env.chunk_size
CHUNK_OVERLAP = _env.chunk_overlap
SEARCH_WEIGHT = _env.search_weight
SEARCH_DEPTH = _env.search_depth
TEXT_SEARCH_CONFIG = _env.text_search_config
ANSWER_SECONDS = _env.answer_seconds
ANSWER_TOKENS = _env.answer_tokens
ANSWER_CONTEXT = _env.answer_context
ANSWER_OVERLAP = _env.answer_overlap
ANSWER_SIMILARITY = _env.answer_similarity
