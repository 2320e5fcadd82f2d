import logging

import pytest

from modules.cmd_args import make_parser, parse

FLAGS_USERS_RELY_ON = [
    "--listen", "--port", "--share", "--gradio-auth", "--gradio-auth-path", "--api", "--api-auth", "--api-log", "--nowebui",
    "--medvram", "--medvram-sdxl", "--lowvram", "--no-half", "--no-half-vae", "--precision", "--upcast-sampling", "--use-cpu",
    "--device-id", "--xformers", "--opt-sdp-attention", "--ckpt", "--ckpt-dir", "--vae-dir", "--vae-path", "--lora-dir",
    "--embeddings-dir", "--hypernetwork-dir", "--data-dir", "--styles-file", "--ui-config-file", "--ui-settings-file",
    "--freeze-settings", "--hide-ui-dir-config", "--allow-code", "--enable-insecure-extension-access", "--disable-all-extensions",
    "--disable-extra-extensions", "--theme", "--skip-torch-cuda-test", "--no-hashing", "--autolaunch", "--administrator",
    "--cors-allow-origins", "--allow-host", "--api-auth-path", "--tls-keyfile", "--tls-certfile", "--subpath", "--loglevel",
]  # fmt: skip

NAMES_THAT_EXTENSIONS_READ = [
    "embeddings_dir", "lowvram", "medvram", "medvram_sdxl", "lora_dir", "ckpt_dir", "vae_dir", "hypernetwork_dir", "ui_config_file",
    "ui_settings_file", "api_auth", "api", "hide_ui_dir_config", "no_half", "no_half_vae", "use_cpu", "xformers",
    "sub_quad_q_chunk_size", "sub_quad_kv_chunk_size", "sub_quad_chunk_threshold", "data_dir", "listen", "share", "port", "server_name",
    "gradio_auth", "gradio_queue", "disable_safe_unpickle", "disable_nan_check", "disable_console_progressbars", "localizations_dir",
    "theme", "device_id", "lowram", "loglevel", "gradio_allowed_path", "precision", "deepdanbooru_projects_path",
]  # fmt: skip


@pytest.mark.parametrize("flag", FLAGS_USERS_RELY_ON)
def test_every_flag_that_users_rely_on_is_known(flag):
    assert flag in make_parser()._option_string_actions


@pytest.mark.parametrize("name", NAMES_THAT_EXTENSIONS_READ)
def test_every_name_that_extensions_read_exists_without_a_flag(name):
    assert hasattr(parse([]), name)


def test_unknown_flags_are_named_and_otherwise_ignored(caplog):
    with caplog.at_level(logging.WARNING, logger="easel"):
        args = parse(["--no-such-flag", "--port", "7861"])
    assert args.port == 7861
    assert "--no-such-flag" in caplog.text


def test_short_forms_are_not_guessed():
    assert parse(["--list"]).listen is False


def test_a_port_beyond_the_range_is_refused_with_the_range(capsys):
    with pytest.raises(SystemExit):
        parse(["--port", "70000"])
    assert "0 to 65535" in capsys.readouterr().err


def test_extensions_add_their_flags():
    args = parse(["--my-flag", "5"], preload=[lambda parser: parser.add_argument("--my-flag", type=int)])
    assert args.my_flag == 5
