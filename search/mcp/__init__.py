"""An MCP server: the tools that a language model's program gets, over standard input and output and over HTTP."""
