"""Parts of `benchmarks/serve.py`: a service as a process, and the loads that are sent to it."""
