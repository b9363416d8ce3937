"""Files through kernels on a cluster: the same results, each once, whatever dies."""

from __future__ import annotations

import importlib
import json
import os
import signal
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from command import run
from test_apply import RECORD, lines, many, tree

from sigconv.applying import Died, clustered, clusters
from sigconv.errors import SigconvError

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as found:
        yield found


def test_a_cluster_gives_what_one_process_gives_to_the_byte(tmp_path, cluster):
    many(tmp_path, 5)
    (tmp_path / "in/bad.wav").write_bytes(b"RIFF\0\0\0\0WAVEnothing here")
    one = run("apply", "-k", "room", "-o", "one", "in", cwd=tmp_path)
    there = run("apply", "-k", "room", "-o", "there", "--backend", "dask", "--scheduler", cluster.scheduler_address, "in",
                cwd=tmp_path)
    assert there.code == one.code == 3 and there.err == one.err and there.out == one.out.replace("one/", "there/")
    assert tree(tmp_path / "one") == tree(tmp_path / "there") and len(lines(tmp_path / "there" / RECORD)) == 5


def test_a_worker_killed_half_way_loses_nothing_and_does_nothing_twice(tmp_path, cluster):
    many(tmp_path, 14, 20)
    assert run("apply", "-k", "room", "-o", "one", "in", cwd=tmp_path).code == 0
    killed = []

    def kill():
        for _ in range(3000):
            if (tmp_path / "there" / RECORD).exists() and len(lines(tmp_path / "there" / RECORD)) >= 3:
                break
            time.sleep(0.01)
        with distributed.Client(cluster.scheduler_address, set_as_default=False) as client:
            killed.extend(client.run(os.getpid).values())
            os.kill(killed[0], signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    done = run("apply", "-k", "room", "-o", "there", "--backend", "dask", "--scheduler", cluster.scheduler_address, "in",
               cwd=tmp_path)
    thread.join()
    assert done.code == 0 and killed, done.err
    found = lines(tmp_path / "there" / RECORD)
    assert tree(tmp_path / "there") == tree(tmp_path / "one")
    assert set(Counter(entry["output"] for entry in found).values()) == {1} and len(found) == 14
    assert run("apply", "-k", "room", "-o", "there", "in", cwd=tmp_path).err == "0 written, 14 done before\n"


def once_more(folder):
    """What was finished by a worker that died before it could say so."""
    from sigconv_cli.apply import done_there, planned

    class Quiet:
        def say(self, text):
            pass

    here = Path.cwd()
    try:
        os.chdir(folder)
        options = {"mode": "same", "padding_mode": "zeros", "subtype": None, "resample": False}
        (job,) = planned(("in/0.wav",), ("blur",), "out", None, False, options, Quiet())
        return [done_there((str(folder), job))[0]["skipped"] for _ in range(2)]
    finally:
        os.chdir(here)


def test_a_piece_that_comes_back_is_found_done(tmp_path):
    many(tmp_path, 1)
    assert once_more(tmp_path) == [False, True]
    assert len(lines(tmp_path / "out" / RECORD)) == 1


def who(piece):
    return os.getpid()


def test_one_worker_alone_does_the_work_and_not_this_process():
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None) as one:
        found = dict(clustered(who, ["a", "b", "c"], "dask", one.scheduler_address))
    assert sorted(found) == [0, 1, 2] and len(set(found.values())) == 1 and os.getpid() not in found.values()
    assert os.getpid() not in dict(clustered(who, ["a", "b"], "dask", None, 1)).values()


def fatal(piece):
    if piece == "die" and threading.current_thread() is not threading.main_thread():  # not of pytest
        os._exit(9)
    return piece


def test_what_kills_every_worker_is_given_up_and_the_run_ends(cluster):
    found = dict(clustered(fatal, ["a", "die", "b"], "dask", cluster.scheduler_address))
    assert sorted(found) == [0, 1, 2] and found[1] == Died(None)
    assert found[0] in ("a", Died(None)) and found[2] in ("b", Died(None))
    cluster.wait_for_workers(2)
    assert dict(clustered(fatal, ["c", "d"], "dask", cluster.scheduler_address)) == {0: "c", 1: "d"}


@pytest.mark.parametrize(("backend", "name"), [("dask", "distributed"), ("dask", "joblib"), ("ray", "ray")])
def test_one_line_where_it_is_not_installed(tmp_path, monkeypatch, backend, name):
    def missing(wanted, *rest):
        if wanted == name:
            raise ImportError(name)
        return importlib.__dict__["_bootstrap"]._gcd_import(wanted)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(SigconvError, match=rf"{name} is not installed; pip install 'sigconv\[cluster\]'") as why:
        list(clustered(abs, [1], backend))
    assert "\n" not in str(why.value)


def test_one_line_where_no_scheduler_is(tmp_path, monkeypatch):
    many(tmp_path, 1)
    monkeypatch.setattr(clusters, "WAIT", 0.5)
    for address in ("tcp://127.0.0.1:9", "nonsense://x"):
        done = run("apply", "-k", "blur", "--backend", "dask", "--scheduler", address, "in", cwd=tmp_path)
        assert done.code == 1 and "scheduler" in done.err and done.err.count("\n") == 1, done.err
    done = run("apply", "-k", "blur", "--scheduler", "tcp://127.0.0.1:9", "in", cwd=tmp_path)
    assert done.code == 2 and "--backend" in done.err
    assert not json.dumps(sorted(tree(tmp_path))).count("blur")
