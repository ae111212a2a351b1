"""Rules that look for failure modes, one a mode."""

from itbench.mast.detectors.base import Detector, Finding
from itbench.mast.detectors.checking import IncorrectVerification, NoVerification
from itbench.mast.detectors.dialogue import DisobeyedRole, IgnoredInput, Reset, Withholding
from itbench.mast.detectors.ending import PrematureTermination, UnawareOfTermination
from itbench.mast.detectors.intentions import ReasoningActionMismatch
from itbench.mast.detectors.repetition import LossOfHistory, Repetition
from itbench.mast.detectors.specification import Derailment, DisobeyedTask, FailToAsk

DETECTORS: tuple[Detector, ...] = (
    DisobeyedTask(),
    DisobeyedRole(),
    Repetition(),
    LossOfHistory(),
    UnawareOfTermination(),
    Reset(),
    FailToAsk(),
    Derailment(),
    Withholding(),
    IgnoredInput(),
    ReasoningActionMismatch(),
    PrematureTermination(),
    NoVerification(),
    IncorrectVerification(),
)

__all__ = ["DETECTORS", "Detector", "Finding"]
