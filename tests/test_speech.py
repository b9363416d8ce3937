"""Recordings found, decoded once, and split: `sigconv.learn.Speech`."""

import os
import subprocess
import sys
import tarfile
import threading
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

import sigconv as sc
from sigconv.errors import SigconvError, SigconvWarning
from sigconv.learn import Images, Speech, decoding, fetch_commands, finding, read_labels, write_labels
from sigconv.learn.commands import CORE, which

DATA = Path(os.environ.get("SIGCONV_DATA", Path(__file__).parents[2] / "shared/data"))
if not DATA.is_dir():
    DATA = Path("/work/shared/data")
real = pytest.mark.skipif(not (DATA / "fsdd").is_dir(), reason="no recordings here")


def write(path, n=400, rate=8000, seed=0, channels=1, **more):
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = 0.1 * np.random.default_rng([seed, *map(ord, path.name)]).standard_normal((n, channels))
    soundfile.write(path, noise, rate, **more)
    return path


def digits(folder, speakers="abc", labels="01", takes=6):
    for label in labels:
        for speaker in speakers:
            for take in range(takes):
                write(folder / f"{label}_{speaker}_{take}.wav", 100 + 10 * take)
    return folder


def quiet(*args, **more):
    """A set that is known to leave something out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SigconvWarning)
        return Speech(*args, **more)


def names(data):
    return [item.path for item in data.items]


# ---- what is found

def test_names(tmp_path):
    data = Speech(digits(tmp_path), cache=False)
    assert (data.layout, data.labels, data.speakers, len(data)) == ("names", ("0", "1"), ("a", "b", "c"), 36)
    assert data.items[0].take == "0" and data.items[0].part == "test" and data.items[5].part == "train"
    assert data.counts == {"0": 18, "1": 18} and data.rates == {8000: 36}


def test_the_recordings_may_lie_in_one_folder_below(tmp_path):
    digits(tmp_path / "recordings")
    (tmp_path / "README.md").write_text("beside")
    data = Speech(tmp_path, cache=False)
    assert data.layout == "names" and not data.skipped


def test_a_folder_for_each_label_with_parts_and_speakers(tmp_path):
    for part in ("train", "dev", "test"):
        for label in ("cat", "dog"):
            for speaker in ("ann", "bob"):
                write(tmp_path / part / label / speaker / "x.wav")
    data = Speech(tmp_path, cache=False)
    assert (data.layout, data.labels, data.speakers) == ("folders", ("cat", "dog"), ("ann", "bob"))
    assert [len(part) for part in data.split("official")] == [4, 4, 4]


def test_a_table(tmp_path):
    for name in ("p", "q", "r", "s"):
        write(tmp_path / "audio" / f"{name}.wav")
    (tmp_path / "list.csv").write_text("filename,word,client_id,split\np.wav,yes,u,train\naudio/q.wav,no,u,train\n"
                                       "r.wav,yes,v,test\ns.wav,no,v,test\ngone.wav,no,v,test\n,no,v,test\n")
    with pytest.warns(SigconvWarning, match=r"2 left out: gone.wav: in the table, not in the folder, and 1 more"):
        data = Speech(tmp_path, cache=False)
    assert names(data) == ["audio/p.wav", "audio/q.wav", "audio/r.wav", "audio/s.wav"]
    assert data.skipped[1] == ("(no file)", "a row of the table without a file or a label")
    assert quiet(tmp_path / "list.csv", cache=False).items == data.items
    assert [p.speakers for p in data.split("official", valid=None)] == [("u",), (), ("v",)]


def test_a_pattern(tmp_path):
    for who in ("ann", "bob"):
        for label in ("up", "down"):
            write(tmp_path / who / f"{label}-1.wav")
    data = Speech(tmp_path, pattern=r"^(?P<speaker>\w+)/(?P<label>\w+)-(?P<take>\d)", cache=False)
    assert (data.labels, data.speakers, data.items[0].take) == (("down", "up"), ("ann", "bob"), "1")
    for bad, why in (("(", "regular expression"), (r"(?P<speaker>\w+)", r"a group \(\?P<label>"),
                     (r"(?P<label>x)(?P<y>.)", "at will speaker")):
        with pytest.raises(SigconvError, match=why):
            Speech(tmp_path, pattern=bad)


def test_labels_keep_their_order_and_the_rest_is_left_out_or_unknown(tmp_path):
    folder = digits(tmp_path, labels="0123")
    data = Speech(folder, ["3", "1"], cache=False)
    assert data.labels == ("3", "1") and Counter(data.targets.tolist()) == {0: 18, 1: 18}
    data = Speech(folder, ["3", "unknown"], cache=False)
    assert data.counts == {"3": 18, "unknown": 54}
    assert data.weights() == pytest.approx([72 / 36, 72 / 108])
    with pytest.raises(SigconvError, match="none of them is here; here are 0, 1, 2, 3"):
        Speech(folder, ["x"])


@real
def test_fsdd_is_as_its_readme_says():
    data = Speech(DATA / "fsdd", cache=False)
    assert repr(data) == "<Speech 3000 clips, 10 labels, 6 speakers, 8000 Hz>" and data.layout == "table"
    assert data.labels == tuple("0123456789") and set(data.counts.values()) == {300}
    assert [len(part) for part in data.split("official", valid=None)] == [2700, 0, 300]
    by_name = Speech(DATA / "fsdd", layout="names", cache=False)
    key = lambda item: (item.path, item.label, item.speaker, item.take, item.part)  # noqa: E731
    assert sorted(map(key, by_name.items)) == sorted(map(key, data.items))


@real
def test_the_slice_of_speech_commands_folds_by_speaker():
    data = Speech(DATA / "speech_commands", CORE, cache=False)
    assert (len(data.labels), data.rate) == (10, 16000) and len(data) == 1108
    folds = data.folds(5)
    assert sorted(path for fold in folds for path in names(fold.test)) == sorted(names(data))
    assert max(len(f.test) for f in folds) - min(len(f.test) for f in folds) <= 3


# ---- Speech Commands in the layout of the archive

@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sc") / "SpeechCommands/speech_commands_v0.02"
    lists = {"valid": [], "test": []}
    for word in (*CORE, "bed", "cat", "wow"):
        for i in range(30):
            name = f"{word}/{i:08x}_nohash_{i % 2}.wav"
            write(folder / name, 160, 16000)
            if which(name) in lists:
                lists[which(name)].append(name)
    for noise in ("hum", "tap"):
        write(folder / f"_background_noise_/{noise}.wav", 16000 * 12, 16000)
    (folder / "_background_noise_/README.md").write_text("noises")
    (folder / "validation_list.txt").write_text("".join(f"{name}\n" for name in lists["valid"]))
    (folder / "testing_list.txt").write_text("".join(f"{name}\n" for name in lists["test"]))
    return folder


def test_the_official_lists(archive):
    data = Speech(archive, cache=False)
    assert (data.layout, len(data), len(data.labels), data.skipped) == ("commands", 390, 13, [])
    made = data.split("official")
    assert made.protocol == "official" and all(made)
    listed = {line for name in ("testing_list.txt",) for line in (archive / name).read_text().split()}
    assert set(names(made.test)) == listed
    assert not set(made.train.speakers) & set(made.test.speakers)


def test_the_lists_are_torchaudios(archive):
    commands = pytest.importorskip("torchaudio.datasets").SPEECHCOMMANDS
    made = Speech(archive, cache=False).split("official")
    for part, subset in ((made.train, "training"), (made.valid, "validation"), (made.test, "testing")):
        theirs = commands(archive.parents[1], "speech_commands_v0.02", subset=subset)
        assert {str(archive / item.path) for item in part.items} == {os.path.normpath(path) for path in theirs._walker}


def test_without_lists_the_hash_tells_the_same(archive, tmp_path):
    listed = Speech(archive, cache=False)
    copy = tmp_path / "copy"
    copy.mkdir()
    for folder in archive.iterdir():
        if folder.is_dir():
            (copy / folder.name).symlink_to(folder)
    (copy / "bed").unlink()
    (copy / "bed").mkdir()
    for file in (archive / "bed").iterdir():
        (copy / "bed" / file.name).symlink_to(file)
    (copy / "bed/again").symlink_to(copy)  # a loop
    hashed = Speech(copy, cache=False)
    assert hashed.layout == "commands" and hashed.items == listed.items and not hashed.skipped


def test_one_list_alone_is_an_error(archive, tmp_path):
    write(tmp_path / "yes/0_nohash_0.wav")
    (tmp_path / "testing_list.txt").write_text("yes/0_nohash_0.wav")
    with pytest.raises(SigconvError, match=r"testing_list.txt alone; wanted both validation_list.txt and testing_list.txt"):
        Speech(tmp_path)


def test_twelve_classes(archive):
    data = Speech(archive, classes=12, cache=False)
    assert data.labels == (*CORE, "unknown", "silence")
    for part in ("train", "valid", "test"):
        of = Counter(item.label for item in data.items if item.part == part)
        ten = sum(of[word] for word in CORE)
        assert of["unknown"] == of["silence"] == -(-ten // 10)
    silences = [item for item in data.items if item.label == "silence"]
    assert all(item.stop - item.start == 16000 for item in silences)
    spans = {part: {(item.path, t) for item in silences if item.part == part for t in (item.start, item.stop - 1)}
             for part in ("train", "valid", "test")}
    for low, part in ((0, "train"), (0.8, "valid"), (0.9, "test")):  # no part hears another's noise
        assert all(low * 192000 <= t for _, t in spans[part])
    assert max(t for _, t in spans["train"]) < 0.8 * 192000
    assert data.items == Speech(archive, classes=12, cache=False).items != Speech(archive, classes=12, seed=1, cache=False).items
    x, y, lengths = data.only(lambda item: item.label == "silence").arrays()
    whole, _ = soundfile.read(archive / silences[0].path, dtype="float32")
    assert np.array_equal(x[0], whole[silences[0].start: silences[0].stop]) and set(y) == {11} and set(lengths) == {16000}


def test_ten_and_all_classes(archive, tmp_path):
    assert Speech(archive, classes=10, cache=False).labels == CORE
    assert len(Speech(archive, classes=35, cache=False).labels) == 13
    with pytest.raises(SigconvError, match=r"classes 11: wanted 10, 12 or 35"):
        Speech(archive, classes=11)
    with pytest.raises(SigconvError, match=r"classes 12: .* elsewhere say labels="):
        Speech(digits(tmp_path), classes=12)


def test_the_archive_is_fetched_by_torchaudio(archive, tmp_path, monkeypatch):
    module = pytest.importorskip("torchaudio.datasets.speechcommands")
    asked = []

    def download(url, archive_file, hash_prefix=None):
        asked.append((url, bool(hash_prefix)))
        with tarfile.open(archive_file, "w:gz") as tar:
            for path in archive.iterdir():
                tar.add(path, path.name)

    monkeypatch.setattr(module, "download_url_to_file", download)
    folder = fetch_commands(tmp_path / "new")
    assert asked == [("http://download.tensorflow.org/data/speech_commands_v0.02.tar.gz", True)]
    assert Speech(folder, cache=False).items == Speech(archive, cache=False).items
    assert fetch_commands(tmp_path / "new") == folder and len(asked) == 1
    with pytest.raises(SigconvError, match="version 3: wanted 1 or 2"):
        fetch_commands(tmp_path, 3)
    monkeypatch.setattr(module, "download_url_to_file", lambda *args, **more: Path("/nowhere").stat())
    with pytest.raises(SigconvError, match=r"speech_commands_v0.01 can't be fetched .*nowhere"):
        fetch_commands(tmp_path, 1)


# ---- images

def test_images(tmp_path):
    rng = np.random.default_rng(0)
    for part in ("train", "test"):
        for label in ("cat", "dog"):
            (tmp_path / part / label).mkdir(parents=True)
            for i in range(3):
                sc.save(sc.Signal(rng.random((3 if i else 1, 8, 10)), sc.grid(8, 10)), tmp_path / part / label / f"{i}.png")
    (tmp_path / "train/cat/9.png").write_bytes(b"no image")
    with pytest.warns(SigconvWarning, match="1 left out: train/cat/9.png"):
        data = Images(tmp_path)
    x, y = data.arrays()
    assert x.shape == (12, 3, 8, 10) and data.labels == ("cat", "dog") and np.bincount(y).tolist() == [6, 6]
    assert np.array_equal(x[1], data.image(1).data.astype(np.float32)) and (x[0] == x[0, :1]).all()
    made = data.split("official", valid=None)
    assert [len(part) for part in made] == [6, 0, 6] and isinstance(made.test, Images)
    assert data.arrays((4, 5))[0].shape == (12, 3, 4, 5)
    assert abs(data.arrays((4, 5))[0].mean() - x.mean()) < 0.02
    sc.save(sc.Signal(np.zeros((1, 9, 9)), sc.grid(9, 9)), tmp_path / "test/cat/8.png")
    with pytest.warns(SigconvWarning), pytest.raises(SigconvError, match=r"images of 8×10 and 9×9 px: wanted one shape; say"):
        Images(tmp_path).arrays()
    with pytest.raises(SigconvError, match="no recordings"):
        Speech(tmp_path)


# ---- samples

def test_arrays_are_the_samples_padded_with_zeros(tmp_path):
    data = Speech(digits(tmp_path), cache=tmp_path / "cache")
    x, y, lengths = data.arrays()
    assert (x.dtype, y.dtype, lengths.dtype) == (np.float32, np.int64, np.int64) and x.shape == (36, 150)
    for row, label, n, item in zip(x, y, lengths, data.items, strict=True):
        sound, _ = soundfile.read(tmp_path / item.path, dtype="float32")
        assert np.array_equal(row[:n], sound) and not row[n:].any() and data.labels[label] == item.label


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_U8", "FLOAT", "DOUBLE"])
def test_any_rate_and_any_number_of_channels(tmp_path, subtype):
    write(tmp_path / "a/x.wav", 1600, 16000, channels=3, subtype=subtype)
    write(tmp_path / "b/x.flac", 800, 8000)
    write(tmp_path / "b/y.flac", 800, 8000)
    data = Speech(tmp_path, cache=False)
    assert data.rates == {8000: 2, 16000: 1} and data.rate == 8000
    x, _, lengths = data.arrays()
    assert lengths.tolist() == [800, 800, 800]
    mean = sc.load(tmp_path / "a/x.wav").data.mean(axis=0)[None]
    wanted = sc.resample(sc.Signal(mean, sc.line(1600, 16000)), 8000).data[0]
    assert np.abs(x[0] - wanted).max() < 1e-6
    assert data.arrays(16000)[2].tolist() == [1600, 1600, 1600]


def test_a_part_has_the_rate_of_the_whole_and_may_be_empty(tmp_path):
    for i in range(3):
        write(tmp_path / "a" / f"{i}.wav", 80, 8000)
        write(tmp_path / "b" / f"{i}.wav", 80, 16000 if i else 8000)
    data = Speech(tmp_path, cache=False)
    part = data.only(lambda item: item.path in ("b/1.wav", "b/2.wav"))
    assert part.rates == {16000: 2} and part.rate == data.rate == 8000 and part.arrays()[2].tolist() == [40, 40]
    x, y, lengths = data.only([]).arrays()
    assert x.shape == (0, 0) and y.shape == lengths.shape == (0,) and not list(data.only([]).batches(4))


def test_the_loudest_stretch_of_a_long_clip_stays(tmp_path):
    for label in "01":
        sound = np.zeros(1000)
        sound[700:800] = 0.5
        soundfile.write(tmp_path / f"{label}_a_0.wav", sound, 8000)
    x, _, lengths = Speech(tmp_path, cache=False).arrays(length=100)
    assert x.shape == (2, 100) and (x == 0.5).all() and lengths.tolist() == [100, 100]
    assert Speech(tmp_path, cache=False).arrays(length=2000)[0].shape == (2, 2000)


@given(size=st.integers(1, 40), seed=st.none() | st.integers(0, 5))
def test_batches_hold_every_clip_once(size, seed, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp() / "batches"
    data = Speech(folder if folder.exists() else digits(folder, takes=2), cache=False)
    x, y, lengths = data.arrays()
    seen = []
    for batch in data.batches(size, seed=seed):
        assert len(batch.x) <= size and batch.x.shape[1] == batch.lengths.max()
        assert np.array_equal(batch.x, x[batch.rows, : batch.x.shape[1]]) and np.array_equal(batch.y, y[batch.rows])
        assert np.array_equal(batch.lengths, lengths[batch.rows])
        seen += batch.rows.tolist()
    assert sorted(seen) == list(range(12)) and (seed is None) <= (seen == sorted(seen))


def test_a_part_shares_what_the_whole_has_decoded(tmp_path, monkeypatch):
    data = Speech(digits(tmp_path), cache=False)
    data.arrays()
    monkeypatch.setattr(decoding, "decoded", None)
    train, _, test = data.split("speaker:b")
    assert {item.speaker for item in test.items} == {"b"} and len(train.arrays()[0]) == len(train)


# ---- the cache

def kept(folder, suffix):
    return sorted(folder.glob(f"*{suffix}"))


def test_the_second_time_nothing_is_decoded(tmp_path, monkeypatch):
    folder, cache = digits(tmp_path / "x"), tmp_path / "cache"
    x = Speech(folder, cache=cache).arrays()[0]
    assert len(kept(cache, ".npy")) == len(kept(cache, ".json")) == 1 and len(list(cache.iterdir())) == 2
    assert np.load(kept(cache, ".npy")[0]).shape == (36 * 125,)
    monkeypatch.setattr(decoding, "decoded", None)
    assert np.array_equal(Speech(folder, cache=cache).arrays()[0], x)


def test_another_file_rate_or_type_is_another_entry(tmp_path):
    folder, cache = digits(tmp_path / "x"), tmp_path / "cache"
    data = Speech(folder, cache=cache)
    x = data.arrays()[0]
    half = Speech(folder, cache=cache, dtype="float16").arrays()[0]
    assert np.abs(half - x).max() <= np.abs(x).max() * 2**-11 and not np.array_equal(half, x) and half.dtype == np.float32
    data.arrays(4000)
    assert len(kept(cache, ".npy")) == 3
    write(folder / "0_a_0.wav", 300, seed=1)
    new = Speech(folder, cache=cache).arrays()[0]
    assert len(kept(cache, ".npy")) == 4 and new.shape[1] == 300
    before = (folder / "0_a_0.wav").stat().st_mtime_ns
    write(folder / "0_a_0.wav", 300, seed=2)  # of the same size
    os.utime(folder / "0_a_0.wav", ns=(before + 1, before + 1))
    assert not np.array_equal(Speech(folder, cache=cache).arrays()[0], new)


@pytest.mark.parametrize("harm", ["cut", "bit", "index", "empty", "foreign", "gone"])
def test_a_damaged_entry_is_made_again(tmp_path, harm):
    folder, cache = digits(tmp_path / "x"), tmp_path / "cache"
    x = Speech(folder, cache=cache).arrays()[0]
    samples, index = kept(cache, ".npy")[0], kept(cache, ".json")[0]
    raw = samples.read_bytes()
    if harm == "cut":
        samples.write_bytes(raw[:-100])
    elif harm == "bit":
        samples.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    elif harm == "foreign":
        np.save(samples, np.array([{}], object), allow_pickle=True)
    elif harm == "gone":
        samples.unlink()
    else:
        index.write_text("" if harm == "empty" else '{"crc": 0, "bad": {}, "begins": [0, "x"]}')
    assert np.array_equal(Speech(folder, cache=cache).arrays()[0], x)
    assert samples.read_bytes() == raw


def test_threads_and_processes_share_it(tmp_path):
    folder, cache = digits(tmp_path / "x"), tmp_path / "cache"
    code = f"import sigconv as sc; print(float(sc.learn.Speech({str(folder)!r}, cache={str(cache)!r}).arrays()[0].sum()))"
    others = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    sums: list[float] = []

    def read():
        sums.append(float(Speech(folder, cache=cache).arrays()[0].sum()))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sums += [float(other.communicate()[0]) for other in others]
    assert len(sums) == 6 and len(set(sums)) == 1
    assert len(list(cache.iterdir())) == 2  # nothing half-written is left


def test_where_it_can_not_be_kept_it_is_decoded_and_said(tmp_path):
    folder = digits(tmp_path / "x")
    (tmp_path / "file").write_text("")
    with pytest.warns(SigconvWarning, match=r"clips can't be kept there .*cache=FOLDER"):
        x = Speech(folder, cache=tmp_path / "file/cache").arrays()[0]
    assert np.array_equal(x, Speech(folder, cache=False).arrays()[0])


def test_where_it_is(monkeypatch, tmp_path):
    monkeypatch.setenv("SIGCONV_CLIPS", str(tmp_path / "told"))
    assert decoding.place(None) == decoding.place(True) == tmp_path / "told"
    monkeypatch.delenv("SIGCONV_CLIPS")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert decoding.place(None) == tmp_path / "sigconv/clips"
    assert decoding.place(False) is None and decoding.place("here") == Path("here")


# ---- splits

SPLITS = ("auto", "speaker", "speaker:b", "fold:1/3", "official", "clips")


@pytest.mark.parametrize("how", SPLITS)
@given(seed=st.integers(0, 9), valid=st.sampled_from(["auto", "speaker", "clips", 0.25, None]))
def test_a_split_cuts_the_set_and_keeps_voices_apart(how, seed, valid, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp() / "splits"
    data = Speech(folder if folder.exists() else digits(folder, "abcde"), cache=False)
    made = data.split(how, seed=seed, valid=valid)
    assert sorted(path for part in made for path in names(part)) == sorted(names(data))
    assert made.train and made.test and (valid is None) == (not made.valid)
    if how not in ("official", "clips"):
        assert not set(made.test.speakers) & {*made.train.speakers, *made.valid.speakers}
    if valid == "speaker":
        assert not set(made.valid.speakers) & set(made.train.speakers)
    assert [part.items for part in data.split(how, seed=seed, valid=valid)] == [part.items for part in made]
    assert all(part.labels == data.labels for part in made)


def test_seeds_differ_and_protocols_say_how(tmp_path):
    data = Speech(digits(tmp_path, "abcdefgh"), cache=False)
    assert len({data.split(seed=seed).test.items for seed in range(8)}) > 2
    said = {how: data.split(how).protocol for how in SPLITS}
    assert said["speaker:b"].startswith("speaker b left out, validation on ")
    assert said["fold:1/3"].startswith("fold 1 of 3 by speaker, validation on ") and said["auto"] == said["speaker"]
    assert said["official"] == "official, validation on 0.1 of the training clips, seed 0"
    assert said["clips"].startswith("clips, speakers on both sides, validation on 0.1")


def test_one_speaker_left_out_each_time(tmp_path):
    folds = Speech(digits(tmp_path), cache=False).folds()
    assert [fold.test.speakers for fold in folds] == [("a",), ("b",), ("c",)]
    assert [fold.protocol.split(",")[0] for fold in folds] == [f"speaker {name} left out" for name in "abc"]


def test_without_speakers_clips_are_split_evenly_over_labels(tmp_path):
    for label in ("x", "y"):
        for i in range(20):
            write(tmp_path / label / f"{i}.wav")
    data = Speech(tmp_path, cache=False)
    made = data.split()
    assert made.protocol == "clips, validation on 0.1 of the training clips, seed 0"
    assert [part.counts for part in made] == [{"x": 14, "y": 14}, {"x": 2, "y": 2}, {"x": 4, "y": 4}]
    for how, why in (("speaker", "0 known speakers: wanted at least 2; say split 'clips', or pattern="),
                     ("official", "none is known"), ("speaker:x", "here speak nobody knows who")):
        with pytest.raises(SigconvError, match=why):
            data.split(how)


def test_labels_that_differ_between_splits_are_said(tmp_path):
    digits(tmp_path, "abc")
    write(tmp_path / "2_a_0.wav")
    data = Speech(tmp_path, cache=False)
    with pytest.warns(SigconvWarning, match=r"labels differ between the sides of the split: 2 only in test$"):
        data.split("speaker:a")
    with pytest.warns(SigconvWarning, match=r": 2 only in train$"):
        data.split("speaker:b", valid=None)


@pytest.mark.parametrize(("how", "why"), [
    ("speakr", "wanted official, speaker, .* did you mean 'speaker'"), ("fold:4/3", "wanted official"), ("fold:x", "wanted"),
    ("speaker:theo", "here speak a, b, c"), ("leave-one-out", r"wanted data.folds\(\)"), (3, "split 3: wanted")])
def test_unknown_splits(tmp_path, how, why):
    with pytest.raises(SigconvError, match=why):
        Speech(digits(tmp_path), cache=False).split(how)


def test_other_bad_splits(tmp_path):
    data = Speech(digits(tmp_path), cache=False)
    for bad in (1, "three", True, 2.5):
        with pytest.raises(SigconvError, match="wanted 'leave-one-out' or a number of folds"):
            data.folds(bad)
    with pytest.raises(SigconvError, match="3 known speakers: wanted at least 4"):
        data.folds(4)
    for bad in ("half", 1.5, -0.1, True):
        with pytest.raises(SigconvError, match="a share between 0 and 1"):
            data.split(valid=bad)


# ---- what can't be taken

def test_what_is_no_whole_recording_is_left_out_and_told(tmp_path):
    digits(tmp_path)
    (tmp_path / "0_z_0.wav").write_bytes(b"")
    (tmp_path / "0_z_1.wav").write_bytes(b"RIFF" + bytes(60))
    (tmp_path / "0_z_2.wav").write_text("no sound at all, though the name says so")
    write(tmp_path / "0_z_3.wav", 0)
    whole = write(tmp_path / "0_z_4.wav").read_bytes()
    (tmp_path / "0_z_4.wav").write_bytes(whole[:-200])
    flac = write(tmp_path / "0_z_5.flac", 9000).read_bytes()
    (tmp_path / "0_z_5.flac").write_bytes(flac[:9000])
    soundfile.write(tmp_path / "0_z_6.wav", np.array([0.0, np.nan, 0.0]), 8000, "FLOAT")
    (tmp_path / "0_z_7.wav").symlink_to(tmp_path / "nowhere.wav")
    write(tmp_path / "other.wav")
    (tmp_path / "notes.docx").write_text("")
    np.save(tmp_path / "0_z_8.npy", np.zeros(9))
    (tmp_path / "0_z_8.npy").rename(tmp_path / "0_z_8.wav")
    with pytest.warns(SigconvWarning, match=r"left out: .* more \(all in .skipped\)") as said:
        data = Speech(tmp_path, cache=False)
    assert len(said) == 1 and "\n" not in str(said[0].message)
    with pytest.warns(SigconvWarning, match=r"3 left out: 0_z_4.wav: .*claims 400 samples"):
        x, y, lengths = data.arrays()
    assert len(x) == len(y) == len(lengths) == len(data) == 36
    told = dict(data.skipped)
    assert sorted(told) == [f"0_z_{i}.{'flac' if i == 5 else 'wav'}" for i in range(9)] + ["notes.docx", "other.wav"]
    assert "empty" in told["0_z_0.wav"] and "nan" in told["0_z_6.wav"] and "array" in told["0_z_8.wav"]
    data.arrays()  # said once


def test_damage_is_remembered_by_the_cache(tmp_path):
    folder = digits(tmp_path / "x")
    whole = (folder / "0_a_0.wav").read_bytes()
    (folder / "0_a_0.wav").write_bytes(whole[:-20])
    for _ in range(2):
        data = Speech(folder, cache=tmp_path / "cache")
        train = data.only(lambda item: item.speaker != "b")
        with pytest.warns(SigconvWarning, match="1 left out: 0_a_0.wav"):
            assert len(train.arrays()[0]) == len(train) == 23
        assert len(data.arrays()[0]) == 35 and [path for path, _ in data.skipped] == ["0_a_0.wav"]


def test_too_little_to_learn_from(tmp_path):
    with pytest.raises(SigconvError, match="no recordings; wanted a folder for each label"):
        Speech(tmp_path)
    write(tmp_path / "yes/a.wav")
    with pytest.raises(SigconvError, match="one file of label 'yes'; wanted at least two labels"):
        Speech(tmp_path)
    write(tmp_path / "yes/b.wav")
    with pytest.raises(SigconvError, match="2 files, all of label 'yes'; wanted at least two labels"):
        Speech(tmp_path)
    assert len(Speech(tmp_path, ["no", "yes"], cache=False)) == 2  # the labels of a net that is tested
    (tmp_path / "yes/a.wav").write_bytes(b"")
    (tmp_path / "yes/b.wav").write_bytes(b"")
    with pytest.raises(SigconvError, match=r"no recordings; 2 files can't be taken, e.g. yes/a.wav: an empty file"):
        Speech(tmp_path)


@pytest.mark.parametrize(("args", "more", "why"), [
    (("nowhere",), {}, "nowhere: not there; wanted a folder"), ((3,), {}, "3 as a folder: wanted a path"),
    ((".",), {"layout": "tree"}, "layout 'tree'"), ((".",), {"dtype": "int16"}, "dtype 'int16'"),
    ((".", "yes"), {}, "wanted a list of names"), ((".", ["0", "0"]), {}, "none twice"), ((".", []), {}, "wanted a list")])
def test_bad_arguments(tmp_path, monkeypatch, args, more, why):
    monkeypatch.chdir(digits(tmp_path))
    with pytest.raises(SigconvError, match=why):
        Speech(*args, **more)


def test_bad_tables(tmp_path):
    digits(tmp_path)
    for text, why in (("file,lable\n0_a_0.wav,0\n", "columns file, lable; wanted one of file, path"), ("", "wanted one of")):
        (tmp_path / "x.csv").write_text(text)
        with pytest.raises(SigconvError, match=why):
            Speech(tmp_path / "x.csv")
    (tmp_path / "x.csv").write_bytes(b"file,label\n\xff\xfe\x00,0\n")
    with pytest.raises(SigconvError, match="wanted a CSV in UTF-8"):
        Speech(tmp_path / "x.csv")
    for name in ("x", "y"):
        (tmp_path / f"{name}.csv").write_text("file,label\n0_a_0.wav,0\n1_a_0.wav,1\n1_a_0.wav,0\n")
    with pytest.raises(SigconvError, match="2 CSV files with columns for files and labels"):
        Speech(tmp_path)
    assert quiet(tmp_path / "x.csv", cache=False).skipped == [("1_a_0.wav", "named again, as '0'")]


def test_bad_rates_and_batches(tmp_path):
    data = Speech(digits(tmp_path), cache=False)
    for rate in (0, -1, 8000.5, "8k", True):
        with pytest.raises(SigconvError, match="wanted a whole number of Hz"):
            data.arrays(rate)
    with pytest.raises(SigconvError, match="wanted a whole number of Hz"):
        next(data.batches(4, 0))
    with pytest.raises(SigconvError, match="batches of 0 clips"):
        next(data.batches(0))


# ---- label files

def test_label_files(tmp_path):
    write_labels(tmp_path / "l.txt", ("yes", "no", "größer als"))
    assert read_labels(tmp_path / "l.txt") == ("yes", "no", "größer als")
    with pytest.raises(SigconvError):
        write_labels(tmp_path / "l.txt", ("a", "b"))  # not over an existing one
    for bad in (("a", "a"), ("a\nb",), (" a",), ("",)):
        with pytest.raises(SigconvError, match="wanted names of one line each"):
            write_labels(tmp_path / "m.txt", bad)
    (tmp_path / "n.txt").write_bytes(b"\xff\xfe")
    (tmp_path / "o.txt").write_text("a\na\n")
    for bad in ("n", "o", "p"):
        with pytest.raises(SigconvError, match="wanted text, a label a line"):
            read_labels(tmp_path / f"{bad}.txt")


def test_all_layouts_are_tried():
    assert set(finding.LAYOUTS) == {"commands", "table", "names", "folders"}
