"""No falsified log passes, and each is explained by something that fits. The long form is `make soak`'s."""

from __future__ import annotations

import pytest

from tests.services.audit import mutations


@pytest.mark.parametrize("seed", [11, 12, 13, 14])
def test_no_falsified_log_is_missed(seed: int) -> None:
    tried, faults = mutations.run(seed, 500)
    assert tried.total() == 500
    assert len(tried) == len(set(mutations.KINDS))
    assert faults == []
