"""What is looked for in an answer and its data: resources may be of any shape."""

from __future__ import annotations

import pytest

from itbench.compliance.fetch import Collected
from itbench.compliance.safety import look
from itbench.model.compliance import Fetched


@pytest.mark.parametrize("rest", ["data: [x]", "data: x", "stringData: 1", "metadata: x", "metadata: [db]"])
def test_a_secret_of_another_shape_is_looked_at_without_a_fall(rest: str) -> None:
    collected = Collected(Fetched(ok=True), b'["db"]')
    points = look({"fetch.sh": "true"}, {"s.yaml": f"kind: Secret\n{rest}\n".encode()}, collected)
    assert points
    assert not any(point.evidence for point in points)
