"""For those who write scenarios: what `itbench scenario check` proves of one."""
