"""Settings: what is wrong is named with its key and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simsearch.errors import ConfigError
from simsearch.settings.config import Config, load_config
from simsearch.settings.sections.extraction import ExtractConfig, safe_name
from simsearch.settings.sections.yaml_text import read_document
from simsearch.settings.shown import COMMON, setting_names, settings_text


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("colour=red", r"colour: no such setting; allowed here: .*extract"),
        ("extract.batch=4", r"extract\.batch: no such setting; allowed here: .*batch_size"),
        ("extract.batch_size=many", r"extract\.batch_size: .*integer.*'many'"),
        ("extract.batch_size=0", r"extract\.batch_size: .*greater than 0"),
        ("extract.precision=float8", r"extract\.precision: .*'float32'.*'float8'"),
        ("extract.backbones=[]", r"extract\.backbones: .*at least 1"),
        ("extract.backbones=[vgg16,vgg16]", r"extract: backbones: a backbone is named twice"),
        ("extract.weights_for={alexnet: [imagenet]}", r"weights_for: alexnet not among backbones"),
        (
            "extract.spaces=[vgg16, {name: both, of: {vgg16: 1, alexnet: 1}}]",
            r"both joins alexnet, not among the spaces that have a backbone \(vgg16\); add it",
        ),
        (
            "extract.spaces=[vgg16, {of: {vgg16: 1, alexnet: 1}}]",
            r"extract\.spaces\.1: a joined space needs a name",
        ),
        (
            "extract.spaces=[vgg16, {name: both, of: {vgg16: 1}}]",
            r"only one space to join \(vgg16\)",
        ),
        (
            "extract.spaces=[vgg16, {name: both, of: {vgg16: 0, alexnet: 1}}]",
            r"extract\.spaces\.1\.of\.vgg16: .*greater than 0",
        ),
        (
            "extract.spaces=[{name: none}]",
            r"extract\.spaces\.0: a space has either a backbone or, under `of`, spaces to join",
        ),
        ("evaluate.ks=[1,20]", r"evaluate: neighbours: 10 is fewer than the largest of ks, 20"),
        ("evaluate.ks=[3,1]", r"evaluate: ks: must be ascending"),
        ("perturbations.profiles=[sharpen,sharpen]", r"perturbations: profiles: .*twice"),
        ("images.background=white", r"images\.background: "),
        ("catalog.delimiter=§", r"catalog\.delimiter: one ASCII character .*'§'"),
        ("catalog.delimiter=;;", r"catalog\.delimiter: one ASCII character"),
        ("catalog.delimiter=a", r"catalog\.delimiter: one ASCII character"),
        ("catalog.delimiter='\"'", r"catalog\.delimiter: a quote or a line end"),
        ('catalog.delimiter="\\r"', r"catalog\.delimiter: a quote or a line end"),
        ("version=2", r"version: this is a version 2 config, simsearch reads version 1"),
        ("seed.x=1", r"seed.*"),
        ("novalue", r"'novalue': an override is written key=value"),
        ("seed=[", r"seed: '\[' is not a YAML value"),
        ("seed=!!int x", r"seed: '!!int x' is not a YAML value"),
        ("root=!!timestamp x", r"root: '!!timestamp x' is not a YAML value"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        load_config(None, [override])
    assert "\n" not in str(caught.value)


def test_overrides_go_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "conf.yaml"
    file.write_text("seed: 5\nextract: {batch_size: 8, backbones: [vgg16]}\n")
    config = load_config(
        file,
        [
            "extract.batch_size=64",
            "catalog.sample=10",
            "extract.weights_for.vgg16=['random:0']",
            "evaluate.ks=[1, 2]",
        ],
    )
    assert (config.seed, config.extract.batch_size, config.catalog.sample) == (5, 64, 10)
    assert config.extract.weights_for == {"vgg16": ("random:0",)}
    assert config.evaluate.ks == (1, 2)
    assert load_config(file, ["extract.batch_size=null"]).extract.batch_size is None


@pytest.mark.parametrize(
    ("text", "message"),
    [("a: [", "not valid YAML"), ("- 1", "a config is a mapping"), ("extract: 3", "extract: ")],
)
def test_a_file_that_is_no_config_is_named(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "conf.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        load_config(file)
    assert "conf.yaml" in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "catalog: {size: 3}\ncatalog: {sample: 2}\n",
            "'catalog' is given twice, in lines 1 and 2",
        ),
        ("catalog:\n  size: 3\n  size: 4\n", "'size' is given twice, in lines 2 and 3"),
        ("catalog: {columns: {title: a, title: b}}", "'title' is given twice"),
        ("[" * 10_000, "not valid YAML: nested too deeply"),
        ("seed: " + "9" * 5000, "not valid YAML: a value is not of its kind"),
    ],
)
def test_no_setting_of_a_file_is_lost_in_silence(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "conf.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        load_config(file)
    assert "\n" not in str(caught.value)


TEXTS = ["2026-11-29", "1:30", "0o12", "010", "1999.10", "1_000", "1e5", "2026", "on", "No", ".5"]


@pytest.mark.parametrize("text", TEXTS)
def test_what_reads_as_text_stays_text(tmp_path: Path, text: str) -> None:
    file = tmp_path / "conf.yaml"
    file.write_text(f"root: {text}\ncatalog: {{columns: {{title: {text}}}}}\n")
    for config in (
        load_config(file),
        load_config(None, [f"root={text}", f"catalog.columns={{title: {text}}}"]),
    ):
        assert config.root == text
        assert config.catalog.columns == {"title": text}


@pytest.mark.parametrize("text", ["/data/a #2", "#2", "s3://b/a#b", "/a # b # c"])
def test_a_hash_in_a_word_begins_no_comment(text: str) -> None:
    assert load_config(None, [f"root={text}"]).root == text


def test_numbers_and_switches_are_read_in_every_spelling_that_their_setting_takes() -> None:
    words = ["extract.max_reject_share=1e-3", "catalog.download.enabled=True", "seed=7"]
    config = load_config(None, [*words, "catalog.sample=~", "projection.refit_share=0.25"])
    assert config.extract.max_reject_share == 0.001
    assert config.catalog.download.enabled is True
    assert (config.seed, config.catalog.sample, config.projection.refit_share) == (7, None, 0.25)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: cannot read the config"):
        load_config("nowhere.yaml")


@pytest.mark.parametrize(
    ("address", "environment", "cluster"),
    [
        ("null", None, None),
        ("null", "ray://there:10001", "ray://there:10001"),
        ("here:6379", "ray://there:10001", "here:6379"),
        ("local", "ray://there:10001", None),
    ],
)
def test_a_run_goes_where_its_config_says_or_else_the_environment(
    address: str, environment: str | None, cluster: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if environment is not None:
        monkeypatch.setenv("RAY_ADDRESS", environment)
    assert load_config(None, [f"ray.address={address}"]).ray.cluster == cluster


def test_an_empty_file_is_all_defaults(tmp_path: Path) -> None:
    (tmp_path / "conf.yaml").write_text("")
    assert load_config(tmp_path / "conf.yaml") == Config()


@pytest.mark.slow
@settings(deadline=None)
@given(
    seed=st.integers(0, 2**31 - 1),
    backbones=st.lists(
        st.text(min_size=1, max_size=12), min_size=1, max_size=4, unique_by=safe_name
    ),
    share=st.floats(0, 1),
)
def test_what_show_prints_reads_back_equal(seed: int, backbones: list[str], share: float) -> None:
    config = Config(
        seed=seed, extract=ExtractConfig(backbones=tuple(backbones), max_reject_share=share)
    )
    import yaml

    assert Config.model_validate(yaml.safe_load(settings_text(config))) == config


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["perturbations.profiles=[jpeg-5]", "catalog.columns={title: '2026-11-29', date: [a, b]}"],
        ["extract.spaces=[vgg16, {backbone: vgg16, head: whitening}, {backbone: a, name: c}]"],
        ["heads.mine={kind: whitening, dimensions: 5}", "autoencoders.variational.beta=0.5"],
        ["heads.null={kind: whitening}", "autoencoders.true={kind: autoencoder}"],
        ["catalog.download.check_again_days=inf", "catalog.columns={title: .inf}"],
        ["root='1:30'", "catalog.delimiter='#'", "explore.hosts=['a: b']", "storage.attempts=7"],
    ],
)
@pytest.mark.parametrize("everything", [False, True])
def test_the_printed_settings_are_the_settings(words: list[str], everything: bool) -> None:
    config = load_config(None, words)
    text = settings_text(config, everything=everything)
    assert Config.model_validate(read_document(text)) == config


def test_settings_have_two_tiers_each_with_its_meaning() -> None:
    names = set(setting_names())
    assert names >= COMMON
    assert 25 <= len(COMMON) <= 35
    few, many = (settings_text(Config(), everything=everything) for everything in (False, True))
    assert "shard_rows" not in few
    assert "shard_rows: 1536" in many
    assert "# originals of which copies are made; null: all\n  originals: null" in few
    # What somebody set is shown, whatever its tier.
    assert "shard_rows: 9" in settings_text(load_config(None, ["extract.shard_rows=9"]))
