"""PDF pages: lines, tables, notes, rendering."""
