"""Shared internals without a public interface, such as atomic file writing, progress callbacks and fingerprints."""
