"""Generated sessions in which a failure is planted at known steps, or nearly: what rules are measured on.

Nothing here comes from the rules, and the rules take nothing from here. Wordings are in two halves: rules were written
with one in sight, and are measured on the other.
"""

from itbench.mast.planting.script import Planted
from itbench.mast.planting.sessions import EVIDENCE, PLANTS, generate

__all__ = ["EVIDENCE", "PLANTS", "Planted", "generate"]
