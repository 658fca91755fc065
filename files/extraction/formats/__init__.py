"""What extractors of one family of formats share: parsers, layouts, tables of names. No registry line is here."""
