"""Faults: changes of Kubernetes objects that make an incident, and that can be taken back exactly.

Every fault acts through `itbench.cluster`, so that it does the same on the twin and on a real cluster.
"""
