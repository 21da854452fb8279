"""What the database client may raise, and which of Prisma's codes each class stands for.

* PrismaError                       base of everything here
  * EngineSetupError                the WebAssembly modules cannot be had (see `prisma.assets`)
    + AssetIntegrityError           what was fetched is not what is pinned
    + AssetUnavailableError         no npm, no network, or no room on the disk
  * SchemaError                     schema.prisma is not valid                              P1012
  * EngineError                     a bug in this client or in Prisma's compiler
    + EnginePanicError              the compiler panicked; it is started anew for the next query
    + UnsupportedPlanError          the compiler emitted a plan node this client does not know
  * ClientNotConnectedError         `connect()` has not been called
  * TransactionError                                                                        P2028
    + TransactionExpiredError       the transaction ran past its `timeout` and was rolled back
    + TransactionNotStartedError    no connection was free within `max_wait`
  * DataError                       a request that failed; carries `code`, `meta`, `model`, `fields`
    + InputError                    the request itself is wrong                             P2009, P2019
      + FieldNotFoundError          an argument or field that the schema does not have      P2009
      + MissingRequiredValueError   a required argument is missing                          P2012, P2011
    + UniqueViolationError                                                                  P2002
    + ForeignKeyViolationError                                                              P2003
    + RelationViolationError        a required relation would be left without its record    P2014, P2017, P2018
    + RecordNotFoundError           a record an operation depends on does not exist         P2025, P2001, P2015
    + InvalidValueError             a given or stored value does not fit   P2000, P2007, P2020, P2023, P2033
    + TooManyParametersError        more bind parameters than the database allows           P2029
    + RawQueryError                                                                         P2010
    + TableNotFoundError                                                                    P2021
    + ColumnNotFoundError                                                                   P2022
    + WriteConflictError            serialization failure, deadlock, database locked: retry P2034
    + DatabaseError                 an error of the database without a code of its own      P2039
    + DatabaseConnectionError       the database cannot be talked to
      + UnreachableError            no server, database or access          P1000, P1001, P1003, P1010, P1011
      + ConnectionClosedError                                                               P1017
      + OperationTimeoutError       a statement ran past its timeout                        P1008
      + PoolTimeoutError            no connection became free in time                       P2024, P2037
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class PrismaError(Exception):
    """Base of every error of the database client."""


class EngineSetupError(PrismaError):
    """The WebAssembly modules of Prisma cannot be had."""


class AssetIntegrityError(EngineSetupError):
    """What was fetched is not what is pinned."""


class AssetUnavailableError(EngineSetupError):
    """There is no npm, no network, or no room on the disk."""


class SchemaError(PrismaError):
    """schema.prisma is not valid."""

    code = "P1012"


class EngineError(PrismaError):
    """A bug in this client or in Prisma's compiler."""


class EnginePanicError(EngineError):
    """The query compiler panicked."""


class UnsupportedPlanError(EngineError):
    """The query compiler emitted a plan node that this client does not know."""


class ClientNotConnectedError(PrismaError):
    """The client is not connected: call `connect()` first."""

    def __init__(self, message: str = "The client is not connected: call `await db.connect()` first.") -> None:
        super().__init__(message)


class TransactionError(PrismaError):
    """A transaction could not be started, or is no longer there."""

    code = "P2028"


class TransactionExpiredError(TransactionError):
    """The transaction ran past its timeout and was rolled back."""


class TransactionNotStartedError(TransactionError):
    """No connection was free for the transaction within `max_wait`."""


class DataError(PrismaError):
    """A request that failed.

    Attributes:
        code: Prisma's code, such as `"P2002"`.
        meta: What Prisma tells besides the message.
        model: The model whose table the database blames, which a nested write may have led to; where it names none, the
            model of the operation; None for a raw query.
        fields: The fields that the database blames; empty when it names none.
    """

    default_code = "P2039"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        meta: Mapping[str, Any] | None = None,
        model: str | None = None,
        fields: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.meta: dict[str, Any] = dict(meta or {})
        self.model = model
        self.fields = tuple(fields)

    def __str__(self) -> str:
        where = f" [model {self.model}]" if self.model else ""
        return f"{self.code}: {self.message}{where}"

    def __reduce__(self) -> tuple[Any, ...]:
        keywords = {"code": self.code, "meta": self.meta, "model": self.model, "fields": self.fields}
        return _rebuild, (type(self), self.message, keywords)


def _rebuild(kind: type[DataError], message: str, keywords: dict[str, Any]) -> DataError:
    return kind(message, **keywords)


class InputError(DataError):
    """The request itself is wrong: no database was asked."""

    default_code = "P2009"


class FieldNotFoundError(InputError):
    """An argument or a field that the schema does not have."""


class MissingRequiredValueError(InputError):
    """A required value is missing."""

    default_code = "P2012"


class UniqueViolationError(DataError):
    """A unique constraint failed on `fields`."""

    default_code = "P2002"


class ForeignKeyViolationError(DataError):
    """A foreign key constraint failed."""

    default_code = "P2003"


class RelationViolationError(DataError):
    """A required relation would be left without its record, or the records are not connected."""

    default_code = "P2014"


class RecordNotFoundError(DataError):
    """A record that the operation depends on does not exist."""

    default_code = "P2025"


class InvalidValueError(DataError):
    """A given or stored value does not fit its column."""

    default_code = "P2023"


class TooManyParametersError(DataError):
    """More bind parameters than the database allows, and no way to split them."""

    default_code = "P2029"


class RawQueryError(DataError):
    """A raw query failed."""

    default_code = "P2010"


class TableNotFoundError(DataError):
    """The table does not exist in the database."""

    default_code = "P2021"


class ColumnNotFoundError(DataError):
    """The column does not exist in the database."""

    default_code = "P2022"


class WriteConflictError(DataError):
    """A serialization failure, a deadlock or a locked database: the transaction may be tried again."""

    default_code = "P2034"


class DatabaseError(DataError):
    """An error of the database for which Prisma has no code of its own."""


class DatabaseConnectionError(DataError):
    """The database cannot be talked to."""

    default_code = "P1001"


class UnreachableError(DatabaseConnectionError):
    """There is no server, no such database, or no access to it."""


class ConnectionClosedError(DatabaseConnectionError):
    """The server closed the connection."""

    default_code = "P1017"


class OperationTimeoutError(DatabaseConnectionError):
    """A statement ran past its timeout."""

    default_code = "P1008"


class PoolTimeoutError(DatabaseConnectionError):
    """No connection became free in time."""

    default_code = "P2024"


CLASS_OF_CODE: dict[str, type[DataError]] = {
    "P1000": UnreachableError,
    "P1001": UnreachableError,
    "P1003": UnreachableError,
    "P1008": OperationTimeoutError,
    "P1009": UnreachableError,
    "P1010": UnreachableError,
    "P1011": UnreachableError,
    "P1017": ConnectionClosedError,
    "P2000": InvalidValueError,
    "P2001": RecordNotFoundError,
    "P2002": UniqueViolationError,
    "P2003": ForeignKeyViolationError,
    "P2007": InvalidValueError,
    "P2009": InputError,
    "P2010": RawQueryError,
    "P2011": MissingRequiredValueError,
    "P2012": MissingRequiredValueError,
    "P2013": MissingRequiredValueError,
    "P2014": RelationViolationError,
    "P2015": RecordNotFoundError,
    "P2017": RelationViolationError,
    "P2018": RelationViolationError,
    "P2019": InputError,
    "P2020": InvalidValueError,
    "P2021": TableNotFoundError,
    "P2022": ColumnNotFoundError,
    "P2023": InvalidValueError,
    "P2024": PoolTimeoutError,
    "P2025": RecordNotFoundError,
    "P2029": TooManyParametersError,
    "P2033": InvalidValueError,
    "P2034": WriteConflictError,
    "P2037": PoolTimeoutError,
    "P2039": DatabaseError,
}


def error_of_code(code: str, message: str, **keywords: Any) -> DataError:
    """The error for one of Prisma's codes; a `DataError` for a code without a class of its own."""
    return CLASS_OF_CODE.get(code, DataError)(message, code=code, **keywords)
