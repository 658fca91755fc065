"""The only reader of the environment.

Every variable that a user may set is a field of `Environment`, with its default and a sentence; `.env.example` is made
from these fields. A wrong value stops the start with one line that names the variable and says what to write.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsConfigDict

from orchestra.common import failpoints
from orchestra.common.outbound import addresses
from orchestra.settings.address_forms import require_networks, require_server, require_url
from orchestra.settings.server_variables import BASE_DIR, SHORTEST_SECRET, CommaSeparated, ServerVariables

SECRETS_DIR = Path("/run/secrets")

PACKAGED_MODEL = "all-MiniLM-L6-v2"
EmbeddingEngine = Literal["auto", "fast", "onnx", "openvino", "sentence-transformers", "provider", "hashing"]

_EXAMPLES = {"reranker_url": "https://api.example.org/v1/rerank"}
# What a choice of another setting, which must come before, needs beside it.
_NEEDED = {
    "embedding_url": ("embedding_engine", "provider", "write it as https://api.openai.com/v1"),
    "embedding_dimensions": ("embedding_engine", "provider", "write how many numbers a vector of the model has"),
    "reranker_url": ("reranker", "provider", f"write it as {_EXAMPLES['reranker_url']}"),
    "reranker_model": ("reranker", "cross-encoder", "write the folder that the model is in"),
}


class Environment(ServerVariables):
    """What a user may set: in the environment, in `.env` beside manage.py, or as files in SECRETS_DIR."""

    model_config = SettingsConfigDict(
        env_file=BASE_DIR / ".env",
        env_ignore_empty=True,
        # Where containers find them, a file each: secret_key, database_url, …; the environment comes first.
        secrets_dir=SECRETS_DIR if SECRETS_DIR.is_dir() else None,
        extra="ignore",
        frozen=True,
    )

    extraction_seconds: int = Field(600, ge=1, description="Wall-clock limit for reading one file.")
    extraction_memory_mb: int = Field(1024, ge=256, description="Memory limit of the process that reads a file.")

    archive_members: bool = Field(
        default=False, description="Read the text of files inside archives, not only the list of their names."
    )
    ocr_engine: Literal["auto", "rapidocr", "tesseract", "off"] = Field(
        "auto", description="What reads text in pictures and scanned pages. auto: the first that is installed."
    )
    ocr_languages: CommaSeparated = Field(
        ("eng",), description="Languages of scanned text, as ISO 639-3 codes with commas; tesseract needs their data."
    )
    speech_engine: Literal["off", "faster-whisper"] = Field("off", description="What turns speech into text.")
    speech_model_dir: Path | None = Field(None, description="Folder with the speech model, on this machine.")
    thumbnails: bool = Field(default=True, description="Keep a small picture of each file that has one.")

    vector_store_type: Literal["pgvector", "faiss", "weaviate"] = Field(
        "pgvector",
        description="What searches vectors; faiss and weaviate copy PostgreSQL's, for owners of many passages.",
    )
    weaviate_url: str = Field("http://127.0.0.1:8080", description="Address of the Weaviate server, with its port.")
    weaviate_grpc_port: int = Field(50051, ge=1, le=65535, description="Port of the Weaviate server for gRPC.")
    weaviate_api_key: str = Field("", description="Key of the Weaviate server. Empty: it asks for none.")
    embedding_engine: EmbeddingEngine = Field(
        "auto",
        description="What runs the model. auto: openvino where the processor has bfloat16, else onnx. fast: 8-bit "
        "integers, a model of its own, at a loss of up to 0.004 nDCG@10 by meaning alone (0.001 with words); changing "
        "to or from it embeds every file again. sentence-transformers is the reference. provider: another server; "
        "all passages and questions are sent to it, but no question of private mode. hashing is for tests only.",
    )
    embedding_model: str = Field(
        PACKAGED_MODEL,
        description="The embedding model: the packaged one, or a folder in which sentence-transformers saved another, "
        "or the name of the provider's model. A change embeds every file again, in the background.",
    )
    embedding_url: str = Field(
        "", description="The embedding provider's base URL in OpenAI's form, such as https://api.openai.com/v1."
    )
    embedding_api_key: str = Field("", description="The embedding provider's key. Empty: none is sent.")
    embedding_dimensions: int = Field(
        0, ge=0, le=4000, description="How many numbers a vector of the provider's model has, such as 1536."
    )
    embedding_tokens: int = Field(
        8_000, ge=64, le=100_000, description="Tokens that the provider's model reads of a text, as it documents."
    )
    embedding_seconds: float = Field(
        30.0, gt=0, le=600, description="Seconds that the provider may take for a batch, all tries together."
    )
    model_dir: Path | None = Field(
        None,
        description="Where the prepared embedding model lies; may be read-only. Empty: STATE_DIR/models.",
    )
    embedding_threads: int = Field(0, ge=0, description="Processor threads for embedding. 0: chosen by the runtime.")
    chunk_size: int = Field(1000, ge=100, le=4000, description="Characters in one passage, at most.")
    chunk_overlap: int = Field(200, ge=0, le=2000, description="Characters that neighbouring passages share.")
    search_weight: float = Field(0.5, ge=0, le=1, description="Share of meaning against words in a hit's score.")
    search_depth: int = Field(100, ge=10, le=1000, description="Candidates that each side of a search contributes.")
    search_exact_rows: int = Field(
        20_000,
        ge=1_000,
        description="Passages of one owner up to which every vector is compared; above it, an index of their own.",
    )
    search_index_memory_mb: int = Field(
        0,
        ge=0,
        description="Memory of PostgreSQL while it builds such an index. 0: up to a quarter of this machine's.",
    )
    text_search_config: str = Field("english", description="Stems the words of files in no known language.")
    reranker: Literal["off", "cross-encoder", "provider"] = Field(
        "off",
        description="What reads the best passages again, beside the question. cross-encoder: a model on this machine; "
        "0.6 s a search for 20 passages of 200 tokens with six layers on two cores, 600 MB a process, 13 s to load. "
        "provider: another server; the question and these passages are sent to it, and its price is paid.",
    )
    reranker_model: str = Field(
        "", description="The cross-encoder's folder on this machine, or the name of the provider's model."
    )
    reranker_url: str = Field(
        "", description="The provider's address, such as https://api.example.org/v1/rerank: Cohere's form."
    )
    reranker_api_key: str = Field("", description="The provider's key, sent as a bearer token. Empty: none is sent.")
    rerank_depth: int = Field(
        20, ge=2, le=100, description="How many of the best passages are read again; the time grows with it."
    )
    rerank_seconds: float = Field(
        5.0, gt=0, le=60, description="Seconds that the provider may take; every search waits for it."
    )

    outbound_allowed_private: CommaSeparated = Field(
        (),
        description="Hosts, host:port or networks that users' models, sources and webhooks may lie at although they "
        "are not public, such as localhost:11434 for Ollama, separated by commas.",
    )

    webhook_failing_days: int = Field(
        3, ge=1, le=60, description="Days of nothing but failures after which a webhook is switched off."
    )

    answer_seconds: float = Field(
        60.0,
        gt=0,
        le=600,
        description="Seconds that a language model may take for an answer; what is there then stays.",
    )
    answer_tokens: int = Field(800, ge=50, le=8000, description="Tokens that a language model's answer may have.")
    answer_context: int = Field(
        12_000, ge=1000, le=200_000, description="Characters of passages that a language model reads for an answer."
    )
    answer_overlap: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Share of a sentence's words that a passage must have to support it; below half of it none does.",
    )
    answer_similarity: float = Field(
        0.6, ge=0, le=1, description="Cosine that supports a sentence which shares fewer words with its passage."
    )
    credentials_keys: CommaSeparated = Field(
        (),
        description="Secrets of 32 signs or more that encrypt the credentials of connections, separated by commas: the "
        "first encrypts, all decrypt (manage.py rotate_credentials). Empty: SECRET_KEY where that is set, else one "
        "made once and kept in STATE_DIR/secrets.",
    )
    openai_api_key: str = Field("", description="OpenAI's key, for answers by its models.")
    openai_base_url: str = Field("https://api.openai.com/v1", description="Where OpenAI's API is.")
    openrouter_api_key: str = Field("", description="OpenRouter's key.")
    openrouter_base_url: str = Field("https://openrouter.ai/api/v1", description="Where OpenRouter's API is.")
    openrouter_site_url: str = Field("", description="The address by which OpenRouter lists who asks. Empty: none.")
    portkey_api_key: str = Field("", description="Portkey's key.")
    portkey_base_url: str = Field("https://api.portkey.ai/v1", description="Where Portkey's gateway is.")
    portkey_config: str = Field("", description="Id of a config of Portkey's, which names providers and fallbacks.")
    portkey_virtual_key: str = Field("", description="Or a virtual key of Portkey's, which stands for a provider's.")
    llm_base_url: str = Field(
        "", description="Base URL of any server that speaks OpenAI's protocol (vLLM, Ollama elsewhere), with its /v1."
    )
    llm_api_key: str = Field("", description="Key of the server at LLM_BASE_URL. Empty: none is sent.")
    llm_provider: Literal["auto", "off", "openai", "openrouter", "portkey", "compatible"] = Field(
        "auto",
        description="Whose model answers. auto: the first of these whose key is set, compatible by LLM_BASE_URL, else "
        "the local one; with none of them answers are extracts. off: none, whatever is set.",
    )
    llm_model: str = Field("", description="The model's name as the provider spells it. Empty: the provider's default.")
    llm_fallback_models: CommaSeparated = Field(
        (), description="Models that OpenRouter asks where the first one fails, separated by commas; at most 3."
    )
    local_llm_url: str = Field(
        "", description="Base URL of a model on this machine, such as http://127.0.0.1:11434/v1; private mode uses it."
    )
    local_llm_model: str = Field("", description="The local model's name.")
    local_llm_api_key: str = Field("", description="The local server's key. Empty: none is sent.")
    uncensored_llm_url: str = Field("", description="Base URL of the model of the mode `uncensored`.")
    uncensored_llm_model: str = Field("", description="That model's name.")
    uncensored_llm_api_key: str = Field("", description="That server's key. Empty: none is sent.")
    llm_monthly_tokens: int = Field(
        0, ge=0, description="Tokens that the installation's models may take for one user in a month. 0: no limit."
    )
    llm_monthly_budget_usd: float = Field(
        0.0,
        ge=0,
        allow_inf_nan=False,
        description="The same in US dollars, as OpenRouter tells them or by the two prices. 0: no limit.",
    )
    llm_input_price: float = Field(
        0.0,
        ge=0,
        allow_inf_nan=False,
        description="US dollars for a million tokens that a model reads, where the provider tells no price.",
    )
    llm_output_price: float = Field(
        0.0, ge=0, allow_inf_nan=False, description="The same for a million tokens that it writes."
    )

    metrics_token: str = Field(
        "", description="Who sends it as a bearer token may read /metrics. With METRICS_NETWORKS empty too: nobody may."
    )
    metrics_networks: CommaSeparated = Field(
        (), description="Addresses or networks that may read /metrics without a token, separated by commas."
    )
    history_minute_hours: int = Field(
        24, ge=1, le=168, description="Hours for which the status page keeps a sample for each minute."
    )
    history_hour_days: int = Field(
        90, ge=1, le=1000, description="Days for which the status page keeps a sample for each hour."
    )

    failpoints: str = Field(
        "",
        description="For tests of faults only: places at which a process is killed or delayed (docs/reliability.md).",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least severe event logged.")
    log_format: Literal["console", "json"] = Field("console", description="Log lines for people or for machines.")

    @field_validator("failpoints")
    @classmethod
    def _known_failpoints(cls, value: str) -> str:
        if not value.startswith("@"):
            failpoints.parse(value)
        return value

    @field_validator("weaviate_url")
    @classmethod
    def _http_only(cls, value: str) -> str:
        require_url(value, ("http", "https"), "http://host:8080")
        return value

    @field_validator("metrics_token")
    @classmethod
    def _long_token(cls, value: str) -> str:
        if value and (len(value) < SHORTEST_SECRET or not all("!" <= char <= "~" for char in value)):
            raise ValueError(f"write {SHORTEST_SECRET} signs or more, without blanks")
        return value

    @field_validator("outbound_allowed_private")
    @classmethod
    def _places(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        try:
            addresses.places(value)
        except ValueError:
            raise ValueError("write hosts, host:port or networks, e.g. localhost:11434,10.1.0.0/16") from None
        return value

    @field_validator("text_search_config")
    @classmethod
    def _identifier(cls, value: str) -> str:
        if not all(part.isidentifier() for part in value.split(".")):
            raise ValueError("write the name of a configuration, e.g. english or simple")
        return value

    @field_validator(
        *("openai_base_url", "openrouter_base_url", "openrouter_site_url", "portkey_base_url", "llm_base_url"),
        *("local_llm_url", "uncensored_llm_url", "embedding_url", "reranker_url"),
    )
    @classmethod
    def _server_only(cls, value: str, info: ValidationInfo) -> str:
        require_server(value, _EXAMPLES.get(str(info.field_name), "https://api.example.org/v1"))
        if value and info.field_name == "local_llm_url" and not addresses.is_loopback(urlsplit(value).hostname or ""):
            raise ValueError("write an address of this machine, e.g. http://127.0.0.1:11434/v1; others: LLM_BASE_URL")
        return value

    @field_validator(*_NEEDED)
    @classmethod
    def _needed_where_chosen(cls, value: object, info: ValidationInfo) -> object:
        setting, choice, remedy = _NEEDED[str(info.field_name)]
        if not value and info.data.get(setting) == choice:
            raise ValueError(f"{setting.upper()}={choice} needs it; {remedy}")
        return value

    @field_validator("llm_provider")
    @classmethod
    def _provider_is_set_up(cls, value: str, info: ValidationInfo) -> str:
        needed = {name: f"{name}_api_key" for name in ("openai", "openrouter", "portkey")} | {
            "compatible": "llm_base_url"
        }
        if value in needed and not info.data.get(needed[value]):
            raise ValueError(f"it needs {needed[value].upper()}")
        return value

    @field_validator("local_llm_model", "uncensored_llm_model")
    @classmethod
    def _model_beside_url(cls, value: str, info: ValidationInfo) -> str:
        url = str(info.field_name).removesuffix("model") + "url"
        if info.data.get(url) and not value:
            raise ValueError(f"{url.upper()} needs it; write the model's name as that server spells it")
        return value

    @field_validator("credentials_keys")
    @classmethod
    def _long_secrets(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(len(secret) < SHORTEST_SECRET for secret in value):
            raise ValueError(f"write secrets of {SHORTEST_SECRET} signs or more, separated by commas")
        return value

    @field_validator(
        *("reranker_api_key", "openai_api_key", "openrouter_api_key", "portkey_api_key", "portkey_virtual_key"),
        *("portkey_config", "llm_api_key", "local_llm_api_key", "uncensored_llm_api_key", "embedding_api_key"),
    )
    @classmethod
    def _fits_a_header(cls, value: str) -> str:
        if not all("!" <= char <= "~" for char in value):
            raise ValueError("write the key alone, without blanks or line ends")
        return value

    @field_validator("chunk_overlap")
    @classmethod
    def _overlap_below_size(cls, value: int, info: ValidationInfo) -> int:
        # On the field and not on the model: a model's error carries every value, keys and passwords included.
        if 2 * value > info.data.get("chunk_size", value * 2):
            raise ValueError("write at most half of CHUNK_SIZE")
        return value

    @field_validator("embedding_model")
    @classmethod
    def _packaged_or_folder(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("embedding_engine") == "provider":
            if value == PACKAGED_MODEL:
                raise ValueError("EMBEDDING_ENGINE=provider needs it; write the model's name as the provider spells it")
            return value
        if value == PACKAGED_MODEL:
            return value
        folder = (BASE_DIR / value).resolve()
        if not (folder / "modules.json").is_file():
            raise ValueError(f"write {PACKAGED_MODEL}, or a folder in which sentence-transformers saved a model")
        return str(folder)

    @field_validator("metrics_networks")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return require_networks(value)

    @field_validator("model_dir")
    @classmethod
    def _absolute_model_dir(cls, value: Path | None) -> Path | None:
        return (BASE_DIR / value).resolve() if value is not None else None


def variable_names() -> dict[str, str]:
    """Map each environment variable to the field that holds it."""
    return {(field.alias or name).upper(): name for name, field in Environment.model_fields.items()}


@cache
def environment() -> Environment:
    """Return the environment, read once. Exits with one line per wrong value."""
    try:
        return Environment()
    except ValidationError as error:
        sys.exit("\n".join(map(_explain, error.errors())))


_REMEDIES = {"int_parsing": "write a whole number, without a unit", "bool_parsing": "write true or false"}


def _explain(error: ErrorDetails) -> str:
    name = str(error["loc"][0]).upper()
    shown = "(hidden)" if any(word in name for word in ("KEY", "URL", "TOKEN")) else repr(error["input"])
    remedy = _REMEDIES.get(error["type"], error["msg"].removeprefix("Value error, "))
    return f"orchestra: {name}={shown} is wrong: {remedy}. See .env.example."
