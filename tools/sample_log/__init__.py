"""The frozen sample log of this format: an event of every kind, and what a reader must find in it.

`python -m tools.sample_log tests/data/log` makes both files, in place of those that are there. Once a format version is
released its files never change any more, and every later program must read them. Clock and keys are fixed, so that a
second run makes the same log (zstd may compress otherwise some day).
"""
