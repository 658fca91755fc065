"""How good search is, measured on questions whose answers are known."""
