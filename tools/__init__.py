"""Developers' programs: benchmarks, checks, fuzzers, crash runs. Never imported by crockery."""
