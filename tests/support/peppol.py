"""The orders of OpenPEPPOL, which are data of their publisher: read from beside the checkout, never copied into it."""

from __future__ import annotations

from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[3] / "shared" / "data" / "peppol-orders"

beside_the_checkout = pytest.mark.skipif(
    not EXAMPLES.is_dir(),
    reason="OpenPEPPOL's example orders are not in ../shared/data/peppol-orders; tests/support/ubl_orders.py stands in",
)
