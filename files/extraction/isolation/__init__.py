"""The process a file is read in: how it is started, what it may do, how pieces come back. `sandbox` is its face."""
