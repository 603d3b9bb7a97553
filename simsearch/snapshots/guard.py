"""Whether a sealed snapshot may replace the published one."""

from __future__ import annotations

from simsearch.errors import DamagedError, GuardError, NotFoundError
from simsearch.settings.sections.operation import PublishConfig
from simsearch.snapshots.plan import Plan
from simsearch.snapshots.snapshot import Snapshot

FORCE = "look at `simsearch snapshots diff`; publish.force=true publishes it anyway"


def check_publishable(old: Snapshot, new: Snapshot, config: PublishConfig) -> None:
    """Raise GuardError if the collection shrank or recovery fell by more than the settings allow.

    Sizes are compared only under the same catalog settings, recovery only in the same feature space with
    the same perturbation profiles.
    """
    try:
        _compare(old, new, config)
    except (NotFoundError, DamagedError) as error:
        raise GuardError(
            f"snapshot {new.snapshot_id} is not published: there is nothing to compare it with ({error.args[0]}); "
            "publish.force=true publishes it all the same"
        ) from None


def _compare(old: Snapshot, new: Snapshot, config: PublishConfig) -> None:
    before, after = old.plan(), new.plan()
    if before.settings.catalog == after.settings.catalog:
        _check_size(old, new, config)
    _check_recovery(old, new, before, after, config)


def _check_size(old: Snapshot, new: Snapshot, config: PublishConfig) -> None:
    then, now = (counts.artworks - counts.rejects for counts in (old.counts(), new.counts()))
    if then - now > config.max_catalog_shrink * then:
        raise GuardError(
            f"snapshot {new.snapshot_id} is not published: {now:,} artworks with vectors, {then:,} before, a fall "
            f"of more than publish.max_catalog_shrink {config.max_catalog_shrink:g}; {FORCE}"
        )


def _check_recovery(
    old: Snapshot, new: Snapshot, before: Plan, after: Plan, config: PublishConfig
) -> None:
    if before.profiles != after.profiles or not after.profiles:
        return
    same = {space.fingerprint for space in before.spaces} & {
        space.fingerprint for space in after.spaces
    }
    then, now = old.recall(), new.recall()
    for space in after.spaces:
        if space.fingerprint not in same:
            continue
        for (name, k), value in now.items():
            fall = then.get((name, k), value) - value
            if name == space.name and fall > config.max_recovery_drop:
                raise GuardError(
                    f"snapshot {new.snapshot_id} is not published: {name}'s recall at {k} fell from "
                    f"{value + fall:.3f} to {value:.3f}, more than publish.max_recovery_drop "
                    f"{config.max_recovery_drop:g}; {FORCE}"
                )
