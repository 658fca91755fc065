"""Sources: places elsewhere whose documents a user has as files here. One module per provider."""
