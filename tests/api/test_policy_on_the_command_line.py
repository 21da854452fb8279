"""`deskclerk policy check|explain`: what is in force, what is wrong with it, and why a call is decided as it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api.cli.commands import app

POLICY = """\
version: 1
capabilities:
  - {roles: [clerk], verdict: allow}
rules:
  - name: dear_payments
    tools: [take_payment]
    when: {amount: {gt: 100.00 EUR}}
    verdict: ask
    reason: A person decides about dear payments.
  - name: known_lines
    tools: [draft_invoice]
    require_origin: {"lines[*].unit_price": [user]}
    verdict: refuse
    reason: A price must come from the user.
  - name: not_too_often
    tools: [take_payment]
    limit: {within: 1h, calls: 3, per: [user]}
    verdict: refuse
    reason: Too often.
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["policy", *arguments])


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    return str(path)


def test_the_built_in_policy_is_checked_without_a_file():
    result = run("check")
    assert result.exit_code == 0
    assert "built-in default.yaml: 3 capabilities, 10 rules." in result.stdout
    assert "warning" not in result.stdout


def test_a_policy_is_printed_as_a_table(file: str):
    shown = run("check", file).stdout
    assert "dear_payments  ask      take_payment   amount gt 100.00 EUR" in shown
    assert "known_lines    refuse   draft_invoice  lines[*].unit_price not from user" in shown
    assert "not_too_often  refuse   take_payment   beyond 3 calls in 1h per user" in shown


def test_a_broken_policy_is_told_with_its_line(tmp_path: Path):
    (tmp_path / "policy.yaml").write_text(POLICY.replace("take_payment", "take_paymnet"))
    result = run("check", str(tmp_path / "policy.yaml"))
    assert result.exit_code == 3
    assert "(invalid_policy)" in result.stderr
    assert "policy.yaml:6: There is no tool 'take_paymnet'" in result.stderr


NEVER = {
    "asked for in any case": ("- {name: one_rule, tools: [take_payment], verdict: ask, reason: Ask.}", "ask"),
    "refused in any case": ("- {name: one_rule, tools: [take_payment], verdict: refuse, reason: No.}", "refuse"),
    "behind a wider one": (
        "- {name: all_of_it, effects: [money], verdict: ask, reason: Ask.}\n"
        "  - {name: one_rule, tools: [take_payment], when: {invoice: {eq: inv_a}}, verdict: ask, reason: Ask.}",
        "allow",
    ),
    "a contradiction": (
        "- {name: one_rule, tools: [draft_invoice], when: {due_days: {gt: 9, lt: 3}}, verdict: ask, reason: Ask.}",
        "allow",
    ),
    "about no tool": ("- {name: one_rule, tools: [take_*], effects: [read], verdict: ask, reason: Ask.}", "allow"),
}


@pytest.mark.parametrize("what", NEVER)
def test_it_warns_of_a_rule_that_can_never_decide(tmp_path: Path, what: str):
    rule, granted = NEVER[what]
    path = tmp_path / "policy.yaml"
    path.write_text(f"version: 1\ncapabilities: [{{roles: [clerk], verdict: {granted}}}]\nrules:\n  {rule}\n")
    result = run("check", str(path))
    assert result.exit_code == 1
    assert "warning: one_rule: it can never decide" in result.stdout


def test_it_warns_of_a_way_around_a_rule(file: str):
    result = run("check", file)
    assert result.exit_code == 1
    assert "warning: dear_payments: it is silent where 'amount' is left out" in result.stdout


def test_a_call_is_explained(file: str):
    call = ("explain", "--file", file, "--tool", "take_payment", "--role", "clerk", "--argument")
    dear, cheap = run(*call, "amount=100.01 EUR"), run(*call, "amount=99.00 EUR")
    assert dear.stdout.startswith("ask: A person decides about dear payments. (dear_payments)")
    assert "yes  amount: gt 100.00 EUR" in dear.stdout
    assert "no   beyond 3 calls in 1h per user" in dear.stdout
    assert cheap.stdout.startswith("allow: ")
    assert "no   amount: gt 100.00 EUR" in cheap.stdout


def test_an_origin_is_explained_by_its_path(file: str):
    result = run(
        *("explain", "--file", file, "--tool", "draft_invoice", "--role", "clerk"),
        *("--argument", "lines[0].unit_price=1.00 EUR", "--argument", "lines[1].unit_price=2.00 EUR"),
        *("--origin", "lines[0].unit_price=user", "--origin", "lines[1].unit_price=document(doc_7)"),
    )
    assert result.stdout.startswith("refuse: A price must come from the user. (known_lines)")
    assert "(lines[1].unit_price from document(doc_7))" in result.stdout


def test_what_a_text_carries_is_explained(tmp_path: Path):
    path = tmp_path / "policy.yaml"
    path.write_text(
        "version: 1\ncapabilities: [{roles: [clerk], verdict: allow}]\nrules:\n"
        "  - {name: records_stay, tools: [web_search], carries: {query: [record]}, verdict: refuse, reason: No.}\n"
    )
    call = ("explain", "--file", str(path), "--tool", "web_search", "--role", "clerk", "--argument", "query=who")
    held = run(*call, "--carried", "query=record(customer.tax_id)")
    assert held.stdout.startswith("refuse: No. (records_stay)")
    assert "yes  query carries what is from record" in held.stdout
    assert run(*call).stdout.startswith("allow: ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("explain",),
        ("explain", "run_a", "--tool", "take_payment"),
        ("explain", "--tool", "no_such_tool", "--role", "clerk"),
        ("explain", "--tool", "take_payment", "--role", "cleric"),
        ("explain", "--tool", "take_payment", "--role", "clerk", "--argument", "amount"),
        ("explain", "--tool", "take_payment", "--role", "clerk", "--origin", "amount=nowhere"),
        ("explain", "--tool", "draft_invoice", "--role", "clerk", "--argument", "lines[7].quantity=1"),
    ],
)
def test_wrong_usage_is_told(arguments: tuple[str, ...]):
    assert run(*arguments).exit_code == 2
