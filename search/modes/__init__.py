"""Search modes, chosen by settings.SEARCH_MODES."""

from orchestra.common.aliases import AliasHandler
from search.modes.base import SearchMode

modes: AliasHandler[SearchMode] = AliasHandler("SEARCH_MODES", SearchMode)  # type: ignore[type-abstract]
