"""Each kind of rule, refusing what it is for, and letting harmless work through."""

from __future__ import annotations

from typing import Any

import pytest

from agent.policy import Policy, Request, Used
from tests.support.policies import TOOLS, policy, request, rules
from tools.origin import Origin

PAYMENT = "take_payment"
INVOICE = {"invoice": "INV-2026-0001"}


def refuses(rule: Policy, call: Request, **used: Used) -> bool:
    return rule.decide(call, used).decision == "refuse"


# ------------------------------------------------------------ capabilities


def test_a_capability_names_tools_roles_and_companies():
    grants = policy("""
        version: 1
        capabilities:
          - {roles: [clerk], tools: [find_*], verdict: allow}
          - {roles: [clerk], tools: [take_payment], tenants: [acme], verdict: ask}
    """)
    clerk = frozenset({"clerk"})
    assert grants.decide(request("find_customer")).decision == "allow"
    assert grants.decide(request(PAYMENT, tenant_id="acme")).decision == "ask"
    assert grants.decide(request(PAYMENT, tenant_id="globex")).decision == "refuse"
    assert grants.may_see(TOOLS[PAYMENT], clerk, tenant_id="acme")  # pyright: ignore[reportArgumentType]
    assert not grants.may_see(TOOLS[PAYMENT], clerk, tenant_id="globex")  # pyright: ignore[reportArgumentType]
    assert not grants.may_see(TOOLS["get_customer"], clerk, tenant_id="acme")  # pyright: ignore[reportArgumentType]


def test_a_capability_can_be_taken_back_from_one_company():
    grants = policy("""
        version: 1
        capabilities:
          - {roles: [clerk], verdict: allow}
          - {roles: [clerk], tools: [mail], tenants: [globex], verdict: refuse}
    """)
    assert refuses(grants, request("mail", tenant_id="globex"))
    assert not refuses(grants, request("mail", tenant_id="acme"))


def test_what_nothing_grants_is_refused():
    nothing = policy("version: 1\ncapabilities: []")
    verdict = nothing.decide(request("find_customer", "admin"))
    assert (verdict.decision, verdict.rule) == ("refuse", "role_may_use_tool")


def test_a_rule_grants_nothing():
    """A rule that asks is no way to a tool that the role does not have."""
    asks = rules("- {name: ask_first, tools: [take_payment], verdict: ask, reason: Ask.}")
    assert refuses(asks, request(PAYMENT, "viewer"))
    assert asks.decide(request(PAYMENT, "clerk")).decision == "ask"


# ------------------------------------------------------------ which calls


def test_the_strictest_verdict_wins_whatever_the_order():
    ask = "- {name: ask_about_it, tools: [change], verdict: ask, reason: Ask.}\n"
    refuse = "- {name: refuse_it, tools: [change], verdict: refuse, reason: No.}\n"
    for text in (ask + refuse, refuse + ask):
        assert rules(text).decide(request("change")).rule == "refuse_it"


def test_a_rule_for_a_role_binds_everybody_who_holds_it():
    rule = rules("- {name: no_clerks, effects: [send], roles: [clerk], verdict: refuse, reason: No.}")
    assert refuses(rule, request("mail", "clerk", "admin"))
    assert not refuses(rule, request("mail", "admin"))
    assert not refuses(rule, request("change", "clerk"))


def test_a_tool_that_is_always_refused_is_not_in_the_prompt():
    rule = rules("- {name: no_mail, tools: [mail], verdict: refuse, reason: No.}")
    assert not rule.may_see(TOOLS["mail"], frozenset({"admin"}))
    assert rule.may_see(TOOLS["pay"], frozenset({"admin"}))


# ------------------------------------------------------------ arguments

PREDICATES: list[tuple[str, Any, bool]] = [
    ("{eq: cus_acme}", "cus_acme", True),
    ("{eq: cus_acme}", "cus_acme2", False),
    ("{eq: 13}", "13", True),  # a quantity is a number that is written as text
    ("{eq: true}", 1, False),
    ("{eq: '320 EUR'}", "320.00 EUR", True),
    ("{in: [a, b]}", "b", True),
    ("{in: [a, b]}", "c", False),
    ("{not_in: [a, b]}", "c", True),
    ("{not_in: [a, b]}", "a", False),
    ("{gt: 100.00 EUR}", "100.01 EUR", True),
    ("{gt: 100.00 EUR}", "100.00 EUR", False),
    ("{gte: 100.00 EUR}", "100.00 EUR", True),
    ("{gte: 100.00 EUR}", "99.99 EUR", False),
    ("{lt: 0.00 EUR}", "-1.00 EUR", True),
    ("{lt: 0.00 EUR}", "0.00 EUR", False),
    ("{lte: 0.00 EUR}", "0.00 EUR", True),
    ("{lte: 0.00 EUR}", "0.01 EUR", False),
    ("{gt: 100.00 EUR}", "1.00 USD", True),  # what cannot be compared is not let through
    ("{gt: 100.00 EUR}", "a hundred", True),
    ("{gt: 2.5}", 3, True),
    ("{gt: 2.5}", "2.5", False),
    (r"{matches: '.*@evil\.example'}", "pay@evil.example", True),
    (r"{matches: '.*@evil\.example'}", "pay@evil.example.org", False),
    (r"{not_matches: '[^@]+@ours\.example'}", "a@ours.example\n@evil.example", True),
    (r"{not_matches: '[^@]+@ours\.example'}", "a@ours.example", False),
    ("{gt: 10, lt: 20}", 15, True),
    ("{gt: 10, lt: 20}", 25, False),
]


@pytest.mark.parametrize(("predicate", "value", "speaks"), PREDICATES)
def test_a_predicate_looks_at_the_value(predicate: str, value: Any, speaks: bool):
    rule = rules(f"- {{name: look_at_it, tools: [change], when: {{note: {predicate}}}, verdict: refuse, reason: No.}}")
    assert refuses(rule, request("change", arguments={"note": value})) is speaks
    assert not refuses(rule, request("change", arguments={}))


def test_an_argument_must_be_given_or_must_not():
    absent = rules(
        "- {name: say_how_much, tools: [take_payment], when: {amount: {present: false}}, verdict: refuse, reason: No.}"
    )
    given = rules(
        "- {name: never_a_part, tools: [take_payment], when: {amount: {present: true}}, verdict: refuse, reason: No.}"
    )
    part = request(PAYMENT, arguments={**INVOICE, "amount": "1.00 EUR"})
    whole = request(PAYMENT, arguments=INVOICE)
    assert refuses(absent, whole)
    assert not refuses(absent, part)
    assert refuses(given, part)
    assert not refuses(given, whole)


def test_of_several_values_one_is_enough_and_all_conditions_must_hold():
    rule = rules("""
        - name: no_expensive_lines
          tools: [draft_invoice]
          when: {"lines[*].unit_price": {gt: 100.00 EUR}, customer: {eq: cus_acme}}
          verdict: refuse
          reason: No.
    """)
    lines = [{"product": "WID-1001", "unit_price": "1.00 EUR"}, {"product": "WID-1002", "unit_price": "500.00 EUR"}]
    assert refuses(rule, request("draft_invoice", arguments={"customer": "cus_acme", "lines": lines}))
    assert not refuses(rule, request("draft_invoice", arguments={"customer": "cus_acme", "lines": lines[:1]}))
    assert not refuses(rule, request("draft_invoice", arguments={"customer": "cus_globex", "lines": lines}))


# ------------------------------------------------------------ origins

PAYEE = """
- name: payee_is_ours_or_the_users
  tools: [pay]
  require_origin: {customer: [user, record(customer.*)]}
  verdict: refuse
  reason: The payee must come from the user or from a customer's record.
"""


@pytest.mark.parametrize(
    ("origin", "refused"),
    [
        ("user", False),
        ("record(customer.id)", False),
        ("record(order.customer)", True),
        ("tool(look_up)", True),
        ("document(doc_7)", True),
        ("web(https://a.example)", True),
        ("model", True),
    ],
)
def test_an_argument_must_come_from_where_the_rule_says(origin: str, refused: bool):
    call = request("pay", arguments={"customer": "cus_acme"}, origins={"customer": origin})
    assert refuses(rules(PAYEE), call) is refused


def test_an_argument_without_an_origin_counts_as_made_up():
    assert refuses(rules(PAYEE), request("pay", arguments={"customer": "cus_acme"}))
    assert not refuses(rules(PAYEE), request("pay", arguments={}))


def test_a_path_covers_what_lies_below_it():
    rule = rules(
        "- {name: own_lines, tools: [draft_invoice], require_origin: {lines: [user]}, verdict: refuse, reason: No.}"
    )
    arguments = {"lines": [{"product": "WID-1001"}, {"product": "WID-1002"}]}
    good = {"lines[0].product": "user", "lines[1].product": "user"}
    assert not refuses(rule, request("draft_invoice", arguments=arguments, origins=good))
    assert refuses(rule, request("draft_invoice", arguments=arguments, origins={**good, "lines[1].product": "model"}))


def test_a_rule_is_silent_when_what_excuses_the_call_comes_from_there():
    rule = rules("""
        - name: strange_customers
          tools: [take_payment]
          require_origin: {invoice: [user]}
          unless_origin: {amount: [user]}
          verdict: refuse
          reason: No.
    """)
    arguments, strange = {**INVOICE, "amount": "1.00 EUR"}, {"invoice": "record(invoice.id)"}
    assert not refuses(rule, request("take_payment", arguments=arguments, origins={**strange, "amount": "user"}))
    assert refuses(rule, request("take_payment", arguments=arguments, origins={**strange, "amount": "document(d)"}))
    assert refuses(rule, request("take_payment", arguments=INVOICE, origins=strange))  # left out, it excuses nothing
    assert not refuses(rule, request("take_payment", arguments=INVOICE, origins={"invoice": "user"}))


def test_a_rule_is_silent_when_the_user_named_every_reference():
    rule = rules("- {name: named, tools: [take_payment], unless_named: ['*'], verdict: refuse, reason: No.}")
    assert refuses(rule, request("take_payment", arguments=INVOICE))
    assert not refuses(rule, request("take_payment", arguments=INVOICE, named=frozenset({"invoice"})))
    lines = {"customer": "cus_a", "lines": [{"product": "WID-1001"}, {"product": "WID-1002"}]}
    rule = rules(
        "- {name: named, tools: [draft_invoice], unless_named: ['lines[*].product'], verdict: refuse, reason: No.}"
    )
    assert refuses(rule, request("draft_invoice", arguments=lines, named=frozenset({"lines[0].product"})))
    both = frozenset({"lines[0].product", "lines[1].product"})
    assert not refuses(rule, request("draft_invoice", arguments=lines, named=both))
    assert not refuses(rule, request("draft_invoice", arguments={"customer": "cus_a"}))


def test_a_rule_speaks_of_what_nobody_chose_among_several():
    rule = rules("- {name: chosen, tools: [take_payment], one_of_several: [invoice], verdict: refuse, reason: No.}")
    assert refuses(rule, request("take_payment", arguments=INVOICE, undecided=frozenset({"invoice"})))
    assert not refuses(rule, request("take_payment", arguments=INVOICE, undecided=frozenset({"customer"})))
    assert not refuses(rule, request("take_payment", arguments=INVOICE))
    rule = rules(
        "- {name: lines, tools: [draft_invoice], one_of_several: ['lines[*].product'], verdict: refuse, reason: No.}"
    )
    lines = {"customer": "cus_a", "lines": [{"product": "WID-1001"}, {"product": "WID-1002"}]}
    assert refuses(rule, request("draft_invoice", arguments=lines, undecided=frozenset({"lines[1].product"})))
    assert not refuses(rule, request("draft_invoice", arguments=lines, undecided=frozenset({"customer"})))


SEARCH = """
- {name: records_stay, tools: [web_search], carries: {query: [record(customer.*)]}, verdict: refuse, reason: No.}
"""


@pytest.mark.parametrize(
    ("carried", "refused"),
    [("record(customer.tax_id)", True), ("record(product.name)", False), ("document(doc_7)", False)],
)
def test_a_text_must_not_carry_what_the_rule_names(carried: str, refused: bool):
    held = {"query": frozenset({Origin.parse(carried)})}
    assert refuses(rules(SEARCH), request("web_search", arguments={"query": "who is it"}, carried=held)) is refused
    assert not refuses(rules(SEARCH), request("web_search", arguments={"query": "who is it"}))


# ------------------------------------------------------------ flows


@pytest.mark.parametrize(
    ("read", "refused"),
    [(["document(doc_7)"], True), (["get_customer"], True), (["web(https://a.example)"], False), ([], False)],
)
def test_what_was_read_before_closes_the_way_out(read: list[str], refused: bool):
    rule = rules(
        "- {name: no_way, tools: [mail], after_reading: [document, get_customer], verdict: refuse, reason: No.}"
    )
    assert refuses(rule, request("mail", read=frozenset(read))) is refused
    assert rule.offers(TOOLS["mail"], frozenset({"clerk"}), blocked="", read=frozenset(read)) is not refused
    assert not refuses(rule, request("pay", read=frozenset(read)))


# ------------------------------------------------------------ limits

OFTEN = "- {name: not_too_often, tools: [pay], limit: {within: 1h, calls: 3}, verdict: refuse, reason: Too often.}"
MUCH = """
- name: not_too_much
  tools: [take_payment]
  limit: {within: 1d, total: 100.00 EUR, of: amount}
  verdict: refuse
  reason: Too much.
"""


@pytest.mark.parametrize(("calls", "refused"), [(0, False), (2, False), (3, True)])
def test_a_call_beyond_the_number_is_refused(calls: int, refused: bool):
    assert refuses(rules(OFTEN), request("pay"), not_too_often=Used(calls=calls)) is refused


@pytest.mark.parametrize(
    ("minor", "amount", "refused"),
    [
        (0, "100.00 EUR", False),
        (0, "100.01 EUR", True),
        (90_00, "10.00 EUR", False),
        (90_00, "10.01 EUR", True),
        (0, "1.00 USD", True),
        (0, None, True),
    ],
)
def test_a_call_beyond_the_sum_is_refused(minor: int, amount: str | None, refused: bool):
    arguments = {**INVOICE, **({} if amount is None else {"amount": amount})}
    assert refuses(rules(MUCH), request(PAYMENT, arguments=arguments), not_too_much=Used(minor=minor)) is refused


def test_a_limit_of_which_nothing_is_known_is_used_up():
    assert refuses(rules(OFTEN), request("pay"))
    assert not refuses(rules(OFTEN), request("mail"))
