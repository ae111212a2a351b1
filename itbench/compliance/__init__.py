"""Compliance tasks: what an agent wrote is tried on both sides, in a sandbox.

Read in this order: `task` (a task on disk), `variants` (the sets of resources that it is tried on), `answer` (the files of
an agent), `fetch` and `engine` (how they are run), `judge` (the order in which that happens). The scores are made by
`itbench.scoring.compliance`. docs/ciso.md is the guide.
"""
