"""Options that several commands share."""

import click

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for programs.")
clip_color_option = click.option(
    "--clip-color",
    default="",
    metavar="SPACE",
    help="OCIO colour space of the clip, where its tags do not say it: 'ARRI LogC4', ... Default: by its tags.",
)
