"""One module per format family; none imports another."""
