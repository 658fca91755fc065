"""Pictures, sound, film: facts, streams, codecs."""
