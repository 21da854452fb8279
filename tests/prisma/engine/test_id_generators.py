"""Identifiers that the client makes: shape, order and uniqueness."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Callable

import pytest

from prisma.engine.generators import GENERATORS, make_cuid, make_uuid, product
from prisma.engine.generators.base36 import base36
from prisma.engine.generators.cuid1 import cuid1
from prisma.engine.generators.cuid2 import cuid2
from prisma.engine.generators.nanoid import nanoid
from prisma.engine.generators.ulid import ulid
from prisma.engine.generators.uuid7 import uuid7


@pytest.mark.parametrize(
    ("generate", "shape"),
    [
        (cuid1, r"c[0-9a-z]{24}"),
        (cuid2, r"[a-z][0-9a-z]{23}"),
        (nanoid, r"[A-Za-z0-9_-]{21}"),
        (ulid, r"[0-7][0-9A-HJKMNP-TV-Z]{25}"),
        (lambda: make_uuid(4), r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
        (lambda: make_uuid(7), r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
    ],
    ids=["cuid1", "cuid2", "nanoid", "ulid", "uuid4", "uuid7"],
)
def test_identifiers_have_their_shape_and_do_not_repeat(generate: Callable[[], str], shape: str):
    made = [generate() for _ in range(5000)]
    assert all(re.fullmatch(shape, identifier) for identifier in made)
    assert len(set(made)) == len(made)


def test_uuid7_grows_within_a_millisecond_and_tells_its_time():
    made = [uuid7() for _ in range(5000)]
    assert made == sorted(made)
    assert all(identifier.version == 7 and identifier.variant == uuid.RFC_4122 for identifier in made)


def test_ulid_and_cuid1_begin_with_the_time():
    assert ulid()[:6] == ulid()[:6]
    assert cuid1()[:6] == cuid1()[:6]


def test_cuid2_spreads_over_letters_and_digits():
    made = "".join(cuid2() for _ in range(3000))
    counts = [made.count(character) for character in "0123456789abcdefghijklmnopqrstuvwxyz"]
    assert min(counts) > 1000


def test_a_forked_process_does_not_repeat_its_parent():
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, cuid2().encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 100).decode() != cuid2()
    os.close(reader)
    os.close(writer)


def test_lengths_and_versions_follow_the_schema():
    assert len(nanoid(5)) == 5
    assert len(make_cuid(1)) == 25
    for generate in (make_cuid, make_uuid):
        with pytest.raises(ValueError, match="3"):
            generate(3)
    assert set(GENERATORS) == {"uuid", "cuid", "ulid", "nanoid", "product"}


def test_base36_pads_and_cuts():
    assert base36(35, 2) == "0z"
    assert base36(36, 3) == "010"
    assert base36(36**4 + 7, 4) == "0007"


def test_product_pairs_every_left_with_every_right():
    assert product([1, 2], ["a", "b"]) == [[1, "a"], [1, "b"], [2, "a"], [2, "b"]]
    assert product(1, ["a"]) == [[1, "a"]]
