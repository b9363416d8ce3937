"""Without a file a sample that comes along is heard: one that the kernel serves."""

import pytest
from command import run

from sigconv.kernels import FAMILIES


@pytest.mark.parametrize("name", FAMILIES)
def test_what_kernels_proposes_works(tmp_path, name):
    told = run("kernels", name)
    line = next(line for line in told.out.splitlines() if line.startswith("try")).split(None, 1)[1]
    done = run(*line.split()[1:], "--no-open", "--no-page", cwd=tmp_path)
    assert done.code == 0, done.err
    assert list(tmp_path.glob(f"*.{name}.wav"))


def test_a_mono_file_under_a_stereo_kernel_is_told_as_such(tmp_path):
    import sigconv as sc

    for name in ("midside", "crossfeed"):
        done = run("listen", "-k", name, sc.io.sample("speech"), cwd=tmp_path)
        assert done.code == 2
        assert done.err == f"sigconv: kernel '{name}' is for 2 channels, the file has 1: wanted such a file, in stereo\n"
        assert not list(tmp_path.iterdir())


def test_look_on_spectrogram(tmp_path):
    import sigconv as sc

    done = run("look", "--on", "spectrogram", sc.io.sample("speech"), cwd=tmp_path)
    assert done.code == 0, done.err
    assert "Hz" in done.out
    assert list(tmp_path.glob("*.png"))
    for kernel in ((), ("-k", "edge")):
        refused = run("look", "--on", "spectrogram", *kernel, sc.io.sample("image"), cwd=tmp_path)
        assert refused.code == 2
        assert "only a sound has one" in refused.err
        assert refused.err.count("\n") == 1
