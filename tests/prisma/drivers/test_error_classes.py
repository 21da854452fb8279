"""The tree of errors: every code has one class, every class its code, and the drawing shows them all."""

from __future__ import annotations

import pickle
from typing import Any

import asyncpg
import pytest

from prisma import errors
from prisma.drivers.postgres import split_url
from prisma.drivers.postgres_errors import connect_error, postgres_error
from prisma.errors import CLASS_OF_CODE, DataError, PrismaError, error_of_code


def below(kind: type[PrismaError]) -> list[type[PrismaError]]:
    return [kind, *[found for child in kind.__subclasses__() for found in below(child)]]


@pytest.mark.parametrize("kind", [found for found in below(PrismaError) if found.__module__ == "prisma.errors"])
def test_the_drawing_of_the_module_shows_every_class(kind: type[PrismaError]):
    assert errors.__doc__ is not None
    assert f" {kind.__name__} " in errors.__doc__
    assert kind.__doc__


@pytest.mark.parametrize("code", sorted(CLASS_OF_CODE))
def test_a_code_gives_its_class_and_the_drawing_names_it(code: str):
    error = error_of_code(code, "m", model="User", fields=["a"], meta={"x": 1})
    assert isinstance(error, CLASS_OF_CODE[code])
    assert (error.code, error.model, error.fields, error.meta) == (code, "User", ("a",), {"x": 1})
    assert str(error) == f"{code}: m [model User]"


def test_a_code_without_a_class_is_a_data_error():
    assert type(error_of_code("P2999", "m")) is DataError


def test_errors_survive_pickling():
    error = error_of_code("P2002", "m", model="User", fields=["a"], meta={"x": 1})
    again: Any = pickle.loads(pickle.dumps(error))
    assert (type(again), again.code, again.model, again.fields) == (type(error), "P2002", "User", ("a",))


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("23505", "P2002"),
        ("23503", "P2003"),
        ("23001", "P2003"),
        ("23502", "P2011"),
        ("22001", "P2000"),
        ("22003", "P2020"),
        ("22P02", "P2007"),
        ("42P01", "P2021"),
        ("42703", "P2022"),
        ("3D000", "P1003"),
        ("28000", "P1010"),
        ("28P01", "P1000"),
        ("53300", "P2037"),
        ("57014", "P1008"),
        ("40001", "P2034"),
        ("40P01", "P2034"),
        ("57P01", "P1017"),
        ("57P03", "P1001"),
        ("XX000", "P2039"),
    ],
)
def test_each_state_of_postgresql_has_its_code(state: str, code: str):
    error = asyncpg.PostgresError.new({"C": state, "M": 'relation "public.x" does not exist', "D": "Key (a, b)=(1, 2)"})
    mapped = postgres_error(error)
    assert mapped.code == code
    assert mapped.meta["database_code"] == state


def test_failures_of_the_network_are_closed_connections_or_unreachable():
    assert postgres_error(ConnectionResetError("reset")).code == "P1017"
    assert postgres_error(asyncpg.InterfaceError("connection is closed")).code == "P1017"
    assert postgres_error(TimeoutError()).code == "P1008"
    assert connect_error(ConnectionRefusedError("refused")).code == "P1001"
    assert connect_error(TimeoutError()).code == "P1001"


def test_prismas_own_url_parameters_do_not_reach_the_server():
    url, settings = split_url("postgresql://u:p@h:5432/db?schema=shop&connection_limit=3&application_name=x")
    assert url == "postgresql://u:p@h:5432/db?application_name=x"
    assert settings == {"schema": "shop", "connection_limit": "3"}
