"""Options that several commands share."""

import click

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for programs.")
