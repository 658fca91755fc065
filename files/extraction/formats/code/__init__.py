"""Source code: definitions, imports, grammars."""
