"""A Ray cluster of two nodes: one is killed, and nothing but its time is lost."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from small_grid import results

ALONE = ["unshare", "--map-root-user", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
PROGRAM = Path(__file__).with_name("ray_nodes.py")


@pytest.mark.slow
def test_two_nodes_of_which_one_is_killed_give_the_results_of_one_process(
    tmp_path: Path, grid: Path, serially: Path
) -> None:
    pytest.importorskip("ray", reason="NOT TESTED: the extra `ray` is not installed")
    missing = [name for name in ("unshare", "ip") if shutil.which(name) is None]
    if missing or subprocess.run([*ALONE, "ip", "link", "set", "lo", "up"]).returncode:
        pytest.skip("NOT TESTED: no network namespace can be made here (unshare, ip)")
    folder = tmp_path / "run"
    ended = subprocess.run(
        [*ALONE, sys.executable, str(PROGRAM), str(grid), str(folder)],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert ended.returncode == 0, ended.stderr
    assert "killed a node" in ended.stdout
    assert "worker was lost" in ended.stderr
    assert results(folder) == results(serially)
    assert not list(folder.rglob("claim.json"))


def test_cluster_file_is_valid_by_ray_s_schema() -> None:
    pytest.importorskip("ray", reason="NOT TESTED: the extra `ray` is not installed")
    import yaml
    from ray.autoscaler._private.util import prepare_config, validate_config

    path = Path(__file__).parents[3] / "examples" / "ray-google-cloud.yaml"
    validate_config(prepare_config(yaml.safe_load(path.read_text())))
