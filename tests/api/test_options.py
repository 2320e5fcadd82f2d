"""Settings and models through the API."""


def test_a_setting_changes_and_is_stored(client, rt):
    assert client.post("/sdapi/v1/options", json={"CLIP_stop_at_last_layers": 2}).status_code == 200
    assert client.get("/sdapi/v1/options").json()["CLIP_stop_at_last_layers"] == 2
    assert '"CLIP_stop_at_last_layers": 2' in rt.folders.config_file.read_text()
    client.post("/sdapi/v1/options", json={"CLIP_stop_at_last_layers": 1})


def test_nothing_changes_when_one_value_is_wrong(client, rt):
    answer = client.post("/sdapi/v1/options", json={"CLIP_stop_at_last_layers": 3, "samples_save": "perhaps"})
    assert answer.status_code == 422 and "samples_save" in str(answer.json()["detail"])
    assert rt.settings.CLIP_stop_at_last_layers == 1


def test_an_unknown_checkpoint_is_404_with_the_nearest_names(client, rt):
    before = rt.settings.sd_model_checkpoint
    answer = client.post("/sdapi/v1/options", json={"sd_model_checkpoint": "tiny-sd9"})
    assert 400 <= answer.status_code < 500 and "tiny-sd1-s1" in str(answer.json()["detail"])
    assert rt.settings.sd_model_checkpoint == before


def test_choosing_a_checkpoint_answers_when_it_is_loaded(client, rt):
    assert client.post("/sdapi/v1/options", json={"sd_model_checkpoint": "tiny-sd1-s2"}).status_code == 200
    assert rt.models.current.checkpoint.model_name == "tiny-sd1-s2"
    assert client.post("/sdapi/v1/options", json={"sd_model_checkpoint": "tiny-sd1-s1"}).status_code == 200


def test_models_are_unloaded_and_loaded_again(client, rt):
    assert client.post("/sdapi/v1/unload-checkpoint").json() == {} and rt.models.current is None
    assert client.post("/sdapi/v1/reload-checkpoint").status_code == 200 and rt.models.current is not None
    assert client.post("/sdapi/v1/refresh-checkpoints").status_code == 200


def test_all_options_answer_as_json(client, rt):
    answer = client.get("/sdapi/v1/options").json()
    assert answer.keys() >= {"samples_save", "sd_model_checkpoint", "CLIP_stop_at_last_layers"}
    assert client.post("/sdapi/v1/options", json={key: answer[key] for key in ("samples_save", "samples_format")}).status_code == 200
