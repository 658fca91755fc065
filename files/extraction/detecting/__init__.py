"""How `detection` tells types: magic numbers, containers, looks of a text, endings that several types share."""
