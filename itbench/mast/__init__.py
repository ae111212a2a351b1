"""Why agents fail: failure modes of MAST found in traces, how annotators agree, and which modes are fatal. docs/mast.md."""
