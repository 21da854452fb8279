from __future__ import annotations

from pathlib import Path

import pytest

from evals.running.run import Options, run

# Those that were right in every run of the thirty requests; `make evals` runs all cases and reports what is not.
FEW = ["credit_limit_of_a_customer", "draft_by_sku", "order_with_another_price"]


@pytest.mark.model
@pytest.mark.timeout(900)  # 40 s on two idle cores, weights at hand
async def test_the_embedded_model_looks_up_drafts_and_refuses_a_bad_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DESKCLERK_LLM", "embedded")
    ran = await run(Options(names=FEW, at_once=1, results=tmp_path / "results", logs=tmp_path / "logs"))
    assert {sample.case: sample.faults for sample in ran.samples} == dict.fromkeys(FEW, ())
