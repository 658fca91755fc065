"""Text from speech: engines behind one interface, chosen by `Options.speech`. Off unless an administrator says so."""
