"""The settings of `simsearch demo`: a first run that is short and shows true results."""

from __future__ import annotations

from collections.abc import Sequence

from simsearch.cli.terminal import show_error
from simsearch.encoders.registry import get_encoder
from simsearch.settings.config import Config, load_config
from simsearch.settings.sections.extraction import PUBLISHED, STUDY_BACKBONES

# Their trained weights come with packages that are installed anyway.
PACKAGED = ("efficientnet_lite0", "efficientnet_lite1")


def demo_config(words: Sequence[str]) -> Config:
    """The demo's settings, overridden by `words`. The study's networks take part if their trained weights
    are on this machine: random weights would show nothing, and a download takes too long.

    Raises ConfigError.
    """
    own = ["root=demo", f"extract.weights=[{PUBLISHED}]"]
    config = load_config(None, [*own, *words])
    at_hand = [
        name
        for name in STUDY_BACKBONES
        if get_encoder(name, config.storage).at_hand([PUBLISHED], config.storage) is not None
    ]
    absent = [name for name in STUDY_BACKBONES if name not in at_hand]
    if absent:
        show_error(
            f"without {', '.join(absent)}: their trained weights are not on this machine; "
            "`simsearch run` fetches them (0.8 GB)"
        )
    return load_config(
        None, [*own, f"extract.backbones=[{','.join((*PACKAGED, *at_hand))}]", *words]
    )
