"""`python -m benchmarks.guards`: what the output guards cost a token and how long they hold text back.

The share is of all the CPU that the server spends on a token, measured by `benchmarks.streams` in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import time
from dataclasses import replace
from pathlib import Path

from agent.grounding.grounding import Grounding
from agent.guarding import GuardContext, OutputFilter, OutputGuard, output_guards
from agent.messages import ChatMessage
from agent.seen import Seen
from benchmarks.streams.measure import Plan, measure
from benchmarks.streams.processes import deskclerk, model_server

PIECE = 4  # characters of a token, roughly
ANSWER = (
    "Order PO-7001 of ACME GmbH is fine. I issued invoice INV-2026-0042 over 1,523.20 EUR, due on 25 December 2026, "
    "and took its payment. The lines are 12 blue widgets (WID-1001) at 32.00 EUR and 40 boxes of copy paper at 21.75; "
    "the tax is 19 %. The customer, purchasing@acme.example, has 18,400.00 EUR of its credit limit left. See "
    "https://shop.example/orders/7001 for the order as it was sent. Nothing else was changed.\n"
)
PROMPT = (
    "You are the office clerk of Demo GmbH. You work on its records with tools.\n- Look things up, never guess. " * 12
)
SEEN = Seen.of([ChatMessage(role="user", content=ANSWER)] * 8, Grounding())
CONTEXT = GuardContext(
    max_input_chars=20_000, system_prompt=PROMPT, secrets=("sk_test_of_this_server_0001",), seen=SEEN
)


def pieces(text: str) -> list[str]:
    """`text` as a model's tokens."""
    return [text[start : start + PIECE] for start in range(0, len(text), PIECE)]


def cost(guards: list[OutputGuard], *, repeat: int) -> float:
    """CPU seconds a token, the median of `repeat` answers. Starting to watch an answer is shared by its tokens."""
    tokens, times = pieces(ANSWER * 4), list[float]()
    for _ in range(repeat):
        seen = Seen(SEEN.texts, SEEN.grounding)  # each answer looks at the conversation afresh
        started = time.process_time_ns()
        watch = OutputFilter(guards, replace(CONTEXT, seen=seen))
        for token in tokens:
            watch.feed(token)
        watch.finish()
        times.append((time.process_time_ns() - started) / 1e9 / len(tokens))
    return statistics.median(times)


def held(guards: list[OutputGuard]) -> list[int]:
    """For each token, how many tokens later its last character has left."""
    watch, tokens = OutputFilter(guards, CONTEXT), pieces(ANSWER * 4)
    ends, left, waits = 0, 0, list[int]()
    waiting: list[tuple[int, int]] = []
    for number, token in enumerate([*tokens, "\n"]):
        ends += len(token)
        waiting.append((number, ends))
        left += len(watch.feed(token))
        waits += [number - begun for begun, end in waiting if end <= left]
        waiting = [entry for entry in waiting if entry[1] > left]
    return waits


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.guards", description=__doc__)
    parser.add_argument("--repeat", type=int, default=200)
    parser.add_argument(
        "--streams", type=int, default=50, help="to measure a token of the whole server with; 0 for none"
    )
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    print(f"tokens of {PIECE} characters; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    guards, found = output_guards(), dict[str, float]()
    cost(guards, repeat=options.repeat // 4)
    none = cost([], repeat=options.repeat)
    for guard in guards:
        found[guard.name] = cost([guard], repeat=options.repeat) - none
        print(f"{guard.name:<34} {found[guard.name] * 1e6:6.2f} us/token")
    found["all"] = cost(guards, repeat=options.repeat)
    print(f"{'all, with the filter':<34} {found['all'] * 1e6:6.2f} us/token")
    waits = held(guards)
    later = sum(wait > 0 for wait in waits) / len(waits)
    print(f"{later:.0%} of the tokens leave later than they came, {max(waits)} tokens at most")
    if options.streams:
        whole = asyncio.run(_server(options.streams))
        found["server"] = whole
        print(f"{'the server, all of it':<34} {whole * 1e6:6.2f} us/token, the guards {found['all'] / whole:.1%} of it")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


async def _server(streams: int) -> float:
    """CPU seconds of the server a token of a stream."""
    plan = Plan(streams, tokens=100, interval_seconds=0.05, spread_seconds=1.0)
    with model_server(tokens=plan.tokens, interval_seconds=plan.interval_seconds) as port, deskclerk(port) as server:
        await measure(server, replace(plan, streams=10))
        return (await measure(server, plan)).cpu_per_token


if __name__ == "__main__":
    main()
