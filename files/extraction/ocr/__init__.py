"""Text from pictures: engines behind one interface, chosen by `Options.ocr`."""
