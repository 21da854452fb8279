"""What a process with the embedded model leaves behind: nothing."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.model

LIFE = """
import asyncio, psutil, signal, sys, threading
from agent.llm.backends.embedded import create
from agent.llm.settings import LlmSettings
from agent.messages import ChatMessage

async def main():
    interrupts = signal.getsignal(signal.SIGINT)
    process = psutil.Process()
    sizes = []
    for _ in range(2):
        backend = create("", LlmSettings(slots=1, context_tokens=512))
        await backend.start()
        async for delta in backend.stream([ChatMessage(role="user", content="Hi")], max_tokens=2):
            pass
        listening = [c for c in process.net_connections("inet") if c.status == "LISTEN"]
        assert not listening, listening
        await backend.stop()
        sizes.append(process.memory_info().rss)
    assert sizes[1] < 400e6, sizes
    assert not [t for t in threading.enumerate() if t.name.startswith("llama")]
    assert signal.getsignal(signal.SIGINT) is interrupts
    print("clean")

asyncio.run(main())
"""


def test_unloading_gives_the_memory_back_and_the_process_exits_without_a_word():
    done = subprocess.run([sys.executable, "-c", LIFE], capture_output=True, text=True, timeout=240, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "clean\n", "")


def test_an_interrupt_in_the_middle_of_an_answer_ends_the_process():
    script = LIFE.split("async def main", maxsplit=1)[0] + (
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it from birth\n"
        "async def main():\n"
        "    backend = create('', LlmSettings(slots=1, context_tokens=2048))\n"
        "    await backend.start()\n"
        "    try:\n"
        "        async for d in backend.stream([ChatMessage(role='user', content='Write a poem.')], max_tokens=1900):\n"
        "            print('token', flush=True)\n"
        "    finally:\n"
        "        await backend.stop()\n"
        "asyncio.run(main())\n"
    )
    command = [sys.executable, "-c", script]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "token\n"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert "KeyboardInterrupt" in said
    assert process.returncode in (1, -signal.SIGINT, 130)
