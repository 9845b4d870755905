"""`sluice completion`: what a shell needs to complete commands and options."""

import click

from sluice_cli.errors import CliError
from sluice_cli.session import Session
from sluice_cli.verbs import verb


@verb("completion", example='eval "$(sluice completion bash)"')
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def command(session: Session, shell: str) -> None:
    """Print a script that completes commands in a shell."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is None:
        raise CliError(f"Nothing completes in {shell}.")
    session.echo(found(click.get_current_context().find_root().command, {}, "sluice", "_SLUICE_COMPLETE").source())
