"""Commands and groups of ours: global options everywhere, lazily imported nouns, errors without traceback."""

import importlib
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import click

from leasehold.cli.output import printable
from leasehold.cli.state import State
from leasehold.errors import EXIT_FAILURE, EXIT_TIMED_OUT, LeaseholdError


def _store(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(context: click.Context, parameter: click.Parameter, value: Any) -> None:
        if value is not None and value is not False:
            target = context.ensure_object(State)
            setattr(target.output if name in ("as_json", "quiet") else target, name, value)

    return callback


def _option(*names: str, into: str, **settings: Any) -> click.Option:
    # A name of its own, so that commands are free to have a parameter `folder` or `identity`.
    declarations = (*names, f"global_{into}")
    return click.Option(declarations, expose_value=False, callback=_store(into), **settings)


def global_options() -> list[click.Parameter]:
    """Options that every command takes."""
    return [
        _option(
            "--json",
            into="as_json",
            is_flag=True,
            help="Print JSON; amounts are decimal strings in base units.",
        ),
        _option("-q", "--quiet", into="quiet", is_flag=True, help="Print the bare id only."),
        _option("-y", "--yes", into="yes", is_flag=True, help="Do not ask before money moves."),
        _option(
            "--identity", into="identity_name", metavar="NAME", envvar="LEASEHOLD_IDENTITY", help="Who calls."
        ),
        _option("--network", into="network_url", metavar="URL", help="Where; the local devnet by default."),
        _option(
            "--folder",
            into="folder",
            type=click.Path(file_okay=False, path_type=Path),
            envvar="LEASEHOLD_FOLDER",
            help="Folder of the network's files, .leasehold by default.",
        ),
        _option("--debug", into="debug", is_flag=True, help="Show the traceback of an error."),
    ]


class Command(click.Command):
    """A command that takes the global options."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(global_options())


class Group(click.Group):
    """A group whose commands take the global options.

    Args:
        elsewhere: commands that are imported when they are used: name to `module:attribute`.
    """

    command_class = Command

    def __init__(self, *args: Any, elsewhere: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._elsewhere = dict(elsewhere or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *self._elsewhere])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in self._elsewhere:
            return _imported(cmd_name, self._elsewhere[cmd_name])
        return super().get_command(ctx, cmd_name)


class Root(click.Group):
    """The whole command line. Nouns are imported when they are used.

    Args:
        nouns: name to `module:attribute` and one line of help.
    """

    def __init__(self, *args: Any, nouns: Mapping[str, tuple[str, str]] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(global_options())
        self._nouns = dict(nouns or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self._nouns]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._nouns:
            return None
        return _imported(cmd_name, self._nouns[cmd_name][0])

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        # Without importing any of them.
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self._nouns.items()])

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Run, and exit with the code of STYLE's list."""
        kwargs["standalone_mode"] = False
        state = State()
        kwargs.setdefault("obj", state)
        try:
            code = super().main(*args, **kwargs)
        except click.exceptions.Exit as error:
            code = error.exit_code
        except click.ClickException as error:
            error.show()
            code = error.exit_code
        except (click.Abort, KeyboardInterrupt):
            click.echo("cancelled", err=True)
            code = EXIT_TIMED_OUT
        except LeaseholdError as error:
            code = _explain(error, error.exit_code, kwargs["obj"].debug)
        except OSError as error:
            code = _explain(error, EXIT_FAILURE, kwargs["obj"].debug)
        sys.exit(code if isinstance(code, int) else 0)


def _explain(error: Exception, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exception(error, file=sys.stderr)
    click.echo(f"error: {printable(str(error))}", err=True)
    return code


def _imported(name: str, place: str) -> click.Command:
    module, _, attribute = place.partition(":")
    try:
        command = getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        return _unavailable(name, error)
    assert isinstance(command, click.Command)
    return command


def _unavailable(name: str, error: ModuleNotFoundError) -> click.Command:
    def refuse() -> None:
        raise click.ClickException(
            f"`leasehold {name}` needs {error.name!r}, which is not installed; see the extras in README"
        )

    settings = {"ignore_unknown_options": True, "allow_extra_args": True}
    return click.Command(name, callback=refuse, context_settings=settings, help="Not installed.")
