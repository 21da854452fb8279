"""`python -m benchmarks.policy`: one decision under 200 rules that all look at the call, with what it asks of a long
conversation: which references the user named, and what texts carry. The goal: p99 under 5 ms."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from typing import Any

from agent.grounding import Grounding
from agent.policy import Policy, Request, Used
from agent.policy.load import parse_policy
from benchmarks.streams.measure import percentile
from tools.customers import FoundCustomer
from tools.origin import USER, Origin
from tools.registry import catalog
from tools.values import Ref

RULES = 200
DECISIONS = 2_000
KNOWN = 200  # customers that the conversation has seen
LINES = 12  # of the invoice that is decided about
LIMIT_MS = 5.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.policy", description=__doc__)
    parser.add_argument("--rules", type=int, default=RULES)
    parser.add_argument("--decisions", type=int, default=DECISIONS)
    options = parser.parse_args()

    before = time.perf_counter()
    policy = make_policy(options.rules)
    loaded = time.perf_counter() - before
    request, used = make_request(), {f"rule_{number}": Used(calls=1) for number in range(options.rules)}
    arguments = dict(request.arguments)
    decision = policy.decide(replace(request, named=make_grounding().named(request.tool, arguments)), used)
    assert decision.decision == "allow", decision  # every rule looks at everything, and none stops the search
    seconds: list[float] = []
    of_cpu: list[float] = []
    tool, grounding = request.tool, make_grounding()
    for _ in range(options.decisions):
        before, cpu = time.perf_counter(), time.thread_time()
        named, carried = grounding.named(tool, arguments), grounding.carried(tool, arguments)
        policy.decide(replace(request, named=named, carried=carried), used)
        seconds.append(time.perf_counter() - before)
        of_cpu.append(time.thread_time() - cpu)
    figures: dict[str, float] = {"rules": options.rules, "load_ms": loaded * 1e3}
    for name, taken in (("wall", sorted(seconds)), ("cpu", sorted(of_cpu))):
        for share in (0.5, 0.99, 1.0):
            figures[f"{name}_p{share * 100:.0f}_ms"] = percentile(taken, share) * 1e3
    print(json.dumps({name: round(value, 3) for name, value in figures.items()}))
    p99 = figures["cpu_p99_ms"]  # on a busy machine the wall's is other people's
    print(f"{'ok' if p99 < LIMIT_MS else 'MISSED'}: p99 {p99:.2f} ms of CPU, goal under {LIMIT_MS:g} ms")


def make_policy(rules: int) -> Policy:
    """Rules of every kind in turn, all about the tool and none of which speaks."""
    kinds: list[dict[str, Any]] = [
        {"when": {"lines[*].unit_price": {"gt": "1000.00 EUR"}}},
        {"when": {"customer": {"matches": "cus_(evil|mallory)[a-z0-9]*"}}},
        {"when": {"customer": {"in": ["cus_a", "cus_b", "cus_c"]}, "due_days": {"gt": 60}}},
        {"require_origin": {"customer": ["user", "record(customer.*)"], "lines": ["user", "record"]}},
        {"after_reading": ["web"]},
        {"unless_named": ["customer"]},
        {"carries": {"*": ["web"]}},
        {"limit": {"within": "1d", "calls": 1_000, "per": ["user", "tool"]}},
    ]
    made = [
        {"name": f"rule_{number}", "verdict": "refuse", "reason": "No.", **kinds[number % len(kinds)]}
        for number in range(rules)
    ]
    whole = {"version": 1, "capabilities": [{"roles": ["clerk"], "verdict": "allow"}], "rules": made}
    tool = catalog()["draft_invoice"]
    return parse_policy(json.dumps(whole).encode(), "benchmark", {tool.name: tool})  # JSON is YAML


def make_grounding() -> Grounding:
    """A conversation that knows as many records as it keeps, and whose person has named the customer."""
    find = catalog()["find_customer"]
    grounding = Grounding()
    grounding.observe_user("Invoice cus_acme for what ACME ordered. " + "Some more words. " * 200)
    for start in range(0, KNOWN, 10):
        rows = [
            FoundCustomer(id=Ref(f"cus_n{n}"), name=f"Customer number {n}", email=f"n{n}@acme.example", country="DE",
                          active=True, match="similar")
            for n in range(start, start + 10)
        ]  # fmt: skip
        grounding.observe_call(find, {"query": "Customer"})
        grounding.observe_result(find, find.result(customers=rows))
    return grounding


def make_request() -> Request:
    """An invoice of many lines, every argument with its origin."""
    lines = [{"product": f"WID-{1000 + n}", "quantity": "2", "unit_price": "32.00 EUR"} for n in range(LINES)]
    origins = {
        f"lines[{n}].{field}": Origin("record", f"product.{field}")
        for n in range(LINES)
        for field in ("product", "quantity", "unit_price")
    }
    return Request(
        catalog()["draft_invoice"],
        {"customer": "cus_acme", "lines": lines, "due_days": 30},
        {"customer": USER, "due_days": Origin("tool", "draft_invoice"), **origins},
        frozenset({"clerk"}),
        read=frozenset({"document(doc_7)", "find_customer", "read_document"}),
    )


if __name__ == "__main__":
    main()
