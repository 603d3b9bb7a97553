"""`simsearch explore`: the web pages, or a static copy of them."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

import typer

from simsearch.cli.arguments import config_of, is_setting, is_settings_file
from simsearch.cli.terminal import show
from simsearch.settings.extras import check_installed

app = typer.Typer()


@app.command()
def explore(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ROOT | CONFIG.yaml]... [key=value]...",
            help="storage roots to show or a settings file, then settings that go over it",
        ),
    ] = None,
    browser: Annotated[bool, typer.Option(help="open the web browser")] = True,
    ray_serve: Annotated[
        bool, typer.Option("--ray-serve", help="serve on Ray Serve, at ray.address or here")
    ] = False,
    export: Annotated[
        str | None,
        typer.Option(metavar="FOLDER", help="write a static copy of the pages there instead"),
    ] = None,
    atlas: Annotated[
        str | None,
        typer.Option(
            "--export-atlas",
            metavar="FOLDER",
            help="write a Parquet file per space for Embedding Atlas there instead",
        ),
    ] = None,
) -> None:
    """Show the published snapshot as web pages on this machine, until interrupted."""
    check_installed("explore", "simsearch explore")
    settings = [word for word in words or () if is_setting(word) or is_settings_file(word)]
    roots = [word for word in words or () if word not in settings]
    config = config_of(settings)
    if export is not None:
        from simsearch.explorer.export import export_site

        show(export_site(config, roots or [config.root], export))
        return
    if atlas is not None:
        from simsearch.explorer.atlas import export_atlas

        show(export_atlas(config, roots or [config.root], atlas))
        return
    with suppress(KeyboardInterrupt):  # which is how a server is stopped
        if ray_serve:
            check_installed("run", "simsearch explore --ray-serve")
            from simsearch.explorer.server.deployment import serve_on_ray

            serve_on_ray(config, roots or [config.root])
        else:
            from simsearch.explorer.server.serve import serve

            serve(config, roots or [config.root], browser=browser)
