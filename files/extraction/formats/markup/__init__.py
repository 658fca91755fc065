"""HTML, XML, Markdown, LaTeX, RST and their like: blocks, front matter, tables."""
