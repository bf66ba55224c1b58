"""Parts of `benchmarks/serve.py`: a service as a process, and the loads that are put on it."""
