"""The `i2vedit` command. Only click is imported here; each command imports what it needs when it is called."""

import importlib
import os
import sys
from typing import NoReturn

import click

from i2vedit_client.errors import ClientError, ExitCode, Failure, unexpected

COMMANDS = {
    "demo": "Run the whole way once, on a bundled shot.",
    "frame": "Export a frame of a clip for painting.",
    "propagate": "Carry a painted frame through its shot.",
    "roundtrip": "Paint in Photoshop or any editor; every save becomes a version.",
    "batch": "Propagate many shots from a table or a timeline, with one report.",
    "jobs": "List, watch and direct jobs; free the GPU.",
    "verify": "Say whether a delivered version is whole and true.",
    "rerun": "Make a delivered version again from its ticket, and compare.",
    "monitor": "Open the window: jobs, training and results.",
    "models": "List, pull and check models.",
    "serve": "Run the server in this terminal.",
    "plugins": "Put the plugins into Resolve, After Effects, Photoshop and Blender.",
    "host": "What the plugins run (docs/hosts.md).",
    "doctor": "Say what is wrong on this machine and how to mend it.",
    "uninstall": "Take the start at login away, and with --purge all data.",
}
"""Each in a module of its own under `commands`; the words stand here so that `--help` need not import them."""


class LazyGroup(click.Group):
    """Imports the module of a command only when that command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"i2vedit_client.commands.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--debug", is_flag=True, help="Show the whole traceback of an error.")
@click.version_option(package_name="i2vedit-bridge", message="i2vedit %(version)s")
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:
    """Paint one frame, get the whole shot back in the edit."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def _usage(error: click.ClickException) -> ClientError:
    place = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "i2vedit"
    sentence = f"{error.format_message()} `{place} --help` shows what can be given."
    return ClientError(Failure("INVALID_ARGUMENT", "USAGE", sentence), ExitCode.BAD_INPUT)


def _interrupted() -> ClientError:
    return ClientError(Failure("CANCELLED", "INTERRUPTED", "Stopped."), ExitCode.INTERRUPTED)


def _run(arguments: list[str]) -> int:
    """Runs a command; everything that can go wrong comes out as a ClientError."""
    try:
        return int(cli.main(arguments, prog_name="i2vedit", standalone_mode=False) or 0)
    except click.ClickException as error:
        raise _usage(error) from error
    except (click.Abort, KeyboardInterrupt):
        raise _interrupted() from None
    except (ClientError, BrokenPipeError):
        raise
    except Exception as error:  # the border of the process: a person sees a sentence, never a traceback
        raise unexpected(error) from error


def _say(error: ClientError, as_json: bool) -> None:
    if as_json:
        from i2vedit_client.events import failed_event
        from i2vedit_client.report import write_json

        write_json({**failed_event(error.failure), "event": error.event})
    click.echo(error.failure.sentence, err=True)


def main() -> NoReturn:
    """Entry point of the command: one sentence and an exit code for whatever goes wrong."""
    arguments = sys.argv[1:]
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # what gRPC has to say comes as an exception too
    for stream in (sys.stdout, sys.stderr):
        # A console that lacks a character of a path shows a question mark instead of failing.
        getattr(stream, "reconfigure", lambda **_: None)(errors="replace")
    try:
        sys.exit(_run(arguments))
    except ClientError as error:
        if "--debug" in arguments:
            raise
        _say(error, "--json" in arguments)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # The reader has gone, as in `| head`; nothing may be written to it any more, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ExitCode.FAILED)
