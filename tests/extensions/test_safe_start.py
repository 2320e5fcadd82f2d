"""Extensions at the start of the real server: install.py is run, and one that ends the program is left out of the next start."""
import pytest
from server_process import ServerProcess


def write_extension(data_dir, name, script, installer=""):
    folder = data_dir / "extensions" / name
    (folder / "scripts").mkdir(parents=True)
    (folder / "scripts" / "main.py").write_text(script)
    if installer:
        (folder / "install.py").write_text(installer)


def test_after_a_start_that_an_extension_ended_the_next_one_is_without_it(tiny_data_dir):
    ran = tiny_data_dir / "ran.txt"
    write_extension(tiny_data_dir, "ends", "import os; os._exit(9)", f"open({str(ran)!r}, 'a').write('x')")
    write_extension(tiny_data_dir, "half", "", "import sys; print('no luck'); sys.exit(4)")
    with pytest.raises(AssertionError, match="ended with 9"):
        ServerProcess(tiny_data_dir).start()
    assert ran.read_text() == "x"
    with ServerProcess(tiny_data_dir) as server:
        notices = " ".join(server.get("/internal/queue")[1]["notices"])
        assert "did not come to its end" in notices
        rows = {row["name"]: row for row in server.get("/internal/extensions")[1]["extensions"]}
        assert not rows["ends"]["runs"] and rows["easel-dynamic-prompts"]["runs"]
        server.post("/internal/extensions/switch", {"disabled": ["ends"]})
    with ServerProcess(tiny_data_dir) as server:
        notices = " ".join(server.get("/internal/queue")[1]["notices"])
        assert "did not come to its end" not in notices and "install.py of half failed" in notices and "no luck" in notices
        rows = {row["name"]: row for row in server.get("/internal/extensions")[1]["extensions"]}
        assert rows["half"]["runs"] and not rows["ends"]["runs"] and ran.read_text() == "x"
