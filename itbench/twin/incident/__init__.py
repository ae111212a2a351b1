"""A scenario on the twin: run it, record it, hold it against the same world without its faults, write down the truth."""
