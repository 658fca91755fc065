"""Language models, chosen by alias; all speak OpenAI's protocol over one guarded client."""

from integrations.llm.base import LanguageModel
from orchestra.common.aliases import AliasHandler

language_models: AliasHandler[LanguageModel] = AliasHandler("LANGUAGE_MODELS", LanguageModel)  # type: ignore[type-abstract]
