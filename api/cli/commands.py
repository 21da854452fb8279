"""The commands and their options."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from api.cli.exits import UNAVAILABLE, USAGE, Stop

app = typer.Typer(
    name="deskclerk",
    help="Office work over external systems, from a request in plain words.",
    no_args_is_help=True,
    rich_markup_mode=None,  # its help costs 0.4 s of imports
    pretty_exceptions_enable=False,
)
db = typer.Typer(name="db", rich_markup_mode=None, help="The database.", no_args_is_help=True)
models = typer.Typer(name="models", rich_markup_mode=None, help="The embedded model's weights.", no_args_is_help=True)
effects = typer.Typer(
    name="effects",
    rich_markup_mode=None,
    help="What was done to the world, and what nobody knows.",
    no_args_is_help=True,
)
policy = typer.Typer(
    name="policy",
    rich_markup_mode=None,
    help="Who may do what, and what a person is asked.",
    no_args_is_help=True,
)
app.add_typer(db)
app.add_typer(models)
app.add_typer(effects)
schedule = typer.Typer(
    name="schedule", rich_markup_mode=None, help="Requests that are made at set times.", no_args_is_help=True
)
app.add_typer(schedule)
app.add_typer(policy)
users = typer.Typer(name="users", rich_markup_mode=None, help="Who may sign in.", no_args_is_help=True)
app.add_typer(users)
keys = typer.Typer(name="keys", rich_markup_mode=None, help="What signs access tokens.", no_args_is_help=True)
app.add_typer(keys)

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Approve everything, and say so.")]
Json = Annotated[bool, typer.Option("--json", help="Print the events, one JSON object a line.")]
Url = Annotated[str | None, typer.Option(help="A running server, else the database of DATABASE_URL.")]


def fails_plainly(command: Callable[..., int | None]) -> Callable[..., None]:
    """Turn what is known to go wrong into one line on standard error and an exit code; a number returned is one too."""

    @wraps(command)
    def run(**arguments: Any) -> None:
        try:
            code = command(**arguments)
        except Stop as stop:
            _give_up(stop.message, stop.code)
        except Exception as error:
            if (message := told(error)) is None:
                raise
            _give_up(message, UNAVAILABLE)
        raise typer.Exit(code or 0)

    return run


def told(error: Exception) -> str | None:
    """What the person is told of an error that says what is missing and what to do; None for a bug."""
    from pydantic_core import ValidationError

    from agent.llm.errors import ModelError
    from agent.outside.config import OutsideToolsInvalid
    from agent.policy import InvalidPolicy
    from prisma.errors import PrismaError
    from prisma.migrate.errors import MigrateError

    if isinstance(error, ValidationError):  # of a setting; without its value, which may be a password
        return "; ".join(f"setting {'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
    plain = (InvalidPolicy, OutsideToolsInvalid, ModelError, PrismaError, MigrateError)
    return str(error) if isinstance(error, plain) else None


def _give_up(message: str, code: int) -> NoReturn:
    print(f"deskclerk: {message}", file=sys.stderr)
    raise typer.Exit(code)


@app.command()
@fails_plainly
def serve(
    host: Annotated[str | None, typer.Option(help="Default: DESKCLERK_HOST, else 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="Default: DESKCLERK_PORT, else 8000; 0 takes any.")] = None,
) -> int:
    """Serve the HTTP interface."""
    from api.cli.serving import serve

    return serve(host=host, port=port)


@app.command()
@fails_plainly
def chat(
    request: Annotated[str | None, typer.Argument(help="In plain words. Without it: a conversation.")] = None,
    document: Annotated[list[Path] | None, typer.Option("--document", "-d", help="A file to go with it.")] = None,
    url: Annotated[str | None, typer.Option(help="A running server, else everything happens in this process.")] = None,
    yes: Yes = False,
    json: Json = False,
) -> int:
    """Ask for something."""
    from api.cli.chatting import chat

    return chat(request, documents=document or [], url=url, yes=yes, as_json=json)


@app.command()
@fails_plainly
def demo(
    yes: Yes = False,
    json: Json = False,
    svg: Annotated[Path | None, typer.Option(help="Also draw the run as a picture.")] = None,
) -> int:
    """Take a purchase order to a paid invoice, in a fresh database of a small company."""
    from api.cli.demo import demo

    return demo(yes=yes, as_json=json, svg=svg)


@db.command()
@fails_plainly
def migrate() -> None:
    """Bring the database to the newest migration."""
    from api.cli.database import migrate

    migrate()


@db.command()
@fails_plainly
def status() -> int:
    """Say where the database stands. Exit code 1 when migrations are pending or something is wrong."""
    from api.cli.database import status

    return status()


@db.command()
@fails_plainly
def seed() -> None:
    """Fill an empty database with a small believable company."""
    from api.cli.database import seed

    seed()


@db.command()
@fails_plainly
def generate() -> None:
    """Write the typed client again from prisma/schema.prisma."""
    from api.cli.database import generate

    generate()


@models.command("list")
@fails_plainly
def list_models() -> None:
    """Print the weights that are known, and which are here."""
    from api.cli.weights import list_models

    list_models()


@models.command()
@fails_plainly
def pull(name: Annotated[str | None, typer.Argument(help="See `deskclerk models list`.")] = None) -> None:
    """Fetch weights, so that nothing has to be fetched later."""
    from api.cli.weights import pull

    pull(name)


@effects.command("list")
@fails_plainly
def list_effects(
    status: Annotated[
        str, typer.Option(help="needs_reconcile, executed, failed, reserved, or all.")
    ] = "needs_reconcile",
    url: Url = None,
) -> None:
    """Print effects, one JSON object a line; by default those whose outcome nobody knows."""
    from api.cli.effects import list_effects

    list_effects(status, url=url)


@effects.command()
@fails_plainly
def settle(
    effect_id: Annotated[str, typer.Argument(help="See `deskclerk effects list`.")],
    outcome: Annotated[str, typer.Argument(help="executed or not_executed, as you found it.")],
    note: Annotated[str, typer.Option(help="How you know; kept in the audit.")] = "",
    url: Url = None,
) -> None:
    """Say what became of an effect whose outcome nobody knew."""
    from api.cli.effects import settle_effect

    settle_effect(effect_id, outcome, note=note, url=url)


@schedule.command("add")
@fails_plainly
def add_schedule(
    *,
    name: Annotated[str, typer.Argument(help="Lower-case letters, digits, '-' and '_'.")],
    cron: Annotated[str, typer.Argument(help="Five fields, like '0 8 * * 1-5'; six begin with seconds.")],
    request: Annotated[str, typer.Argument(help="In plain words.")],
    document: Annotated[list[Path] | None, typer.Option("--document", "-d", help="A file to go with it.")] = None,
    timezone: Annotated[str, typer.Option(help="IANA name, like Europe/Berlin.")] = "UTC",
    url: Url = None,
) -> None:
    """Make a request at set times from now on; a running server does it."""
    from api.cli.schedule import add

    add(name, cron, request, documents=document or [], timezone=timezone, url=url)


@schedule.command("list")
@fails_plainly
def list_schedules(url: Url = None) -> None:
    """Print the schedules, one JSON object a line, with what became of the last time."""
    from api.cli.schedule import list_schedules

    list_schedules(url=url)


@schedule.command("remove")
@fails_plainly
def remove_schedule(
    name: Annotated[str, typer.Argument(help="See `deskclerk schedule list`.")], url: Url = None
) -> None:
    """Begin nothing more of a schedule; runs that were begun go on."""
    from api.cli.schedule import remove

    remove(name, url=url)


@schedule.command("run")
@fails_plainly
def run_schedule(
    name: Annotated[str, typer.Argument(help="See `deskclerk schedule list`.")],
    url: Url = None,
    yes: Yes = False,
    json: Json = False,
) -> int:
    """Make a schedule's request now, as `deskclerk chat` would."""
    from api.cli.schedule import run

    return run(name, url=url, yes=yes, as_json=json)


PolicyPath = Annotated[Path | None, typer.Option("--file", help="Default: DESKCLERK_POLICY, else the built-in.")]


@policy.command()
@fails_plainly
def check(
    file: Annotated[Path | None, typer.Argument(help="Default: DESKCLERK_POLICY, else the built-in.")] = None,
) -> int:
    """Validate a policy and print its rules. Exit code 1 when there are warnings."""
    from api.cli.policy import check

    return check(file)


@policy.command()
@fails_plainly
def explain(
    subject: Annotated[str | None, typer.Argument(help="A run's id or RUN:CALL: print what the audit has.")] = None,
    *,
    tool: Annotated[str | None, typer.Option(help="The tool that is called.")] = None,
    role: Annotated[list[str] | None, typer.Option(help="A role of the caller; again for another.")] = None,
    tenant: Annotated[str, typer.Option(help="The caller's company.")] = "default",
    argument: Annotated[list[str] | None, typer.Option(help="path=value, like lines[0].quantity=2.")] = None,
    origin: Annotated[list[str] | None, typer.Option(help="path=origin, like customer=document(doc_7).")] = None,
    named: Annotated[list[str] | None, typer.Option(help="Path of a reference that the user named.")] = None,
    undecided: Annotated[list[str] | None, typer.Option(help="Path of a reference that is one of several.")] = None,
    carried: Annotated[list[str] | None, typer.Option(help="path=origin of a value that a text there holds.")] = None,
    read: Annotated[list[str] | None, typer.Option(help="An origin or a tool that was read before.")] = None,
    findings: Annotated[bool, typer.Option("--findings", help="A check has found what blocks.")] = False,
    file: PolicyPath = None,
) -> None:
    """Say which rules speak of a call, which decides, and why."""
    from api.cli.policy import explain, explain_subject

    if (subject is None) == (tool is None):
        raise Stop("Give either a run (or RUN:CALL), or --tool with --role.", USAGE)
    if subject is not None:
        explain_subject(subject)
        return
    explain(
        file,
        tool=tool or "",
        roles=role or [],
        tenant=tenant,
        arguments=argument or [],
        origins=origin or [],
        named=named or [],
        undecided=undecided or [],
        carried=carried or [],
        read=read or [],
        findings=findings,
    )


UserName = Annotated[str, typer.Argument(help="See `deskclerk users list`.")]


@users.command("add")
@fails_plainly
def add_user(
    name: Annotated[str, typer.Argument(help="Letters, digits and . _ @ + -.")],
    role: Annotated[list[str] | None, typer.Option(help="viewer, clerk, approver, admin; again for more.")] = None,
    email: Annotated[str | None, typer.Option(help="For people to read; nobody signs in by it.")] = None,
    tenant: Annotated[str, typer.Option(help="The company.")] = "default",
    no_password: Annotated[bool, typer.Option("--no-password", help="Signs in at a provider only.")] = False,
) -> None:
    """Add a user; the password is asked for, or read from standard input. The first ends the time without sign-in."""
    from api.cli.users import add

    add(name, roles=role or ["clerk"], email=email, tenant=tenant, password=not no_password)


@users.command("list")
@fails_plainly
def list_users() -> None:
    """Print the users, one JSON object a line."""
    from api.cli.users import list_all

    list_all()


@users.command("disable")
@fails_plainly
def disable_user(name: UserName) -> None:
    """Let a user in no more; what is open ends within a second."""
    from api.cli.users import disable

    disable(name)


@users.command("enable")
@fails_plainly
def enable_user(name: UserName) -> None:
    """Let a disabled user in again."""
    from api.cli.users import enable

    enable(name)


@users.command("password")
@fails_plainly
def change_password(name: UserName) -> None:
    """Set another password, asked for or read from standard input; every sign-in of the user ends."""
    from api.cli.users import password

    password(name)


@users.command("roles")
@fails_plainly
def change_roles(
    name: UserName, roles: Annotated[list[str], typer.Argument(help="viewer, clerk, approver, admin.")]
) -> None:
    """Give a user these roles and no others."""
    from api.cli.users import roles as give

    give(name, roles)


@users.command("link")
@fails_plainly
def link_user(
    name: UserName,
    provider: Annotated[str, typer.Argument(help="Of DESKCLERK_OIDC_PROVIDERS.")],
    subject: Annotated[str, typer.Argument(help="What the provider calls the person (`sub`).")],
) -> None:
    """Let whom a provider knows by that name sign in as this user."""
    from api.cli.users import link

    link(name, provider, subject)


@keys.command("list")
@fails_plainly
def list_signing_keys() -> None:
    """Print the keys that sign or verify access tokens, one JSON object a line."""
    from api.cli.signing import list_keys

    list_keys()


@keys.command("rotate")
@fails_plainly
def rotate_signing_key(
    now: Annotated[
        bool, typer.Option("--now", help="A key was stolen: what it signed is refused from now on.")
    ] = False,
) -> None:
    """Sign with a new key; what was signed is good until it runs out. No server has to be started again."""
    from api.cli.signing import rotate

    rotate(now=now)
