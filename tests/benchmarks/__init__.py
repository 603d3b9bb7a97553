"""The benchmark suite, `python -m tests.benchmarks`: ours and a baseline in the same run, in turn."""
