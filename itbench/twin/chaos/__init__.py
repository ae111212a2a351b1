"""Chaos Mesh: its controllers for Schedules and experiments, and what its daemon does to pods.

Semantics, states and words of Chaos Mesh 2.8 (https://chaos-mesh.org/docs/). What experiments mean for the traffic of an
application is `itbench.twin.wiring`'s matter.
"""
