"""Makes the samples again: `python samples/make.py [FOLDER]`. Needs espeak-ng for the speech, besides NumPy, soxr and Pillow.

Every sound is 22050 Hz, 16-bit, so that each can be heard through each. The same versions give the same bytes.
"""

from __future__ import annotations

import subprocess
import sys
import wave
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

RATE = 22050
SENTENCE = "Listen: this is how a convolution sounds."
CHIME = ((0.0, 1661.0), (0.263, 1244.0), (0.517, 830.0), (0.781, 932.0))  # s, Hz
CHORD = (207.65, 261.63, 311.13)  # Hz: A♭3 C4 E♭4, the left hand
NOISE = 30.0  # dB under the full chime


def main(folder: Path) -> None:
    """Write every sample into `folder`."""
    write(folder / "speech.wav", speech())
    write(folder / "chime-dry.wav", chime_dry())
    write(folder / "chime.wav", chime())
    write(folder / "stereo.wav", strings())
    write(folder / "room.wav", 0.9 * room(0.5, 0.09, seed=3))
    picture(folder / "image.png")
    np.save(folder / "volume.npy", phantom())
    film(folder / "video.gif")


def write(path: Path, samples: np.ndarray) -> None:
    """A 16-bit WAV of `(n,)` or `(channels, n)`; the standard library's writer adds no date and no version."""
    rows = np.atleast_2d(samples)
    if np.abs(rows).max() >= 1:
        raise ValueError(f"{path.name} clips: peak {np.abs(rows).max():.3f}")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(rows))
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.round(rows.T * 32768).astype("<i2").tobytes())


def speech() -> np.ndarray:
    """Three seconds of espeak-ng, peak 0.6."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        subprocess.run(["espeak-ng", "-v", "en-gb", "-s", "150", "-p", "45", "-w", str(path), SENTENCE], check=True)
        with wave.open(str(path), "rb") as file:
            rate, x = file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    if rate != RATE:
        import soxr

        x = soxr.resample(x, rate, RATE)
    loud = np.flatnonzero(np.abs(x) > 0.01)
    x = x[max(loud[0] - RATE // 10, 0): loud[-1] + RATE // 5]
    y = np.zeros(3 * RATE)
    y[: min(len(x), len(y))] = x[: len(y)]
    fade = RATE // 50
    y[-fade:] *= np.linspace(1, 0, fade)
    return 0.6 * y / np.abs(y).max()


def chime_dry() -> np.ndarray:
    """Four pure tones, one after another, each until the next begins; the last dies away."""
    y = np.zeros(int(1.5 * RATE))
    ends = [onset for onset, _ in CHIME[1:]] + [1.4]
    for (onset, pitch), end in zip(CHIME, ends, strict=True):
        t, first = after(onset, len(y))
        attack, release = np.clip(t / 0.003, 0, 1), np.clip((end - onset - t) / 0.01, 0, 1)
        y[first:] += attack * release * np.exp(-2 * t) * np.sin(2 * np.pi * pitch * t)
    return 0.5 * y / np.abs(y).max()


def chime() -> np.ndarray:
    """The chime in full: partials that decay, a chord in the left hand, a short room, noise at 30 dB; stereo."""
    n = int(2.6 * RATE)
    y = np.zeros((2, n))
    for onset, pitch in CHIME:
        y += np.array([[0.6], [0.8]]) * bell(onset, pitch, n)
    for pitch in CHORD:
        y += np.array([[0.45], [0.22]]) * string(0.0, pitch, n, decay=1.5, soft=2.5)
    wet = np.stack([np.convolve(c, room(0.25, 0.05, seed), "full")[:n] for c, seed in zip(y, (11, 12), strict=True)])
    y = (0.6 * y + 0.4 * wet) * np.clip(np.arange(n)[::-1] / (0.1 * RATE), 0, 1)
    noise = np.random.default_rng(5).standard_normal(y.shape)
    y += noise * np.sqrt(np.mean(y**2) / np.mean(noise**2)) * 10 ** (-NOISE / 20)
    return 0.6 * y / np.abs(y).max()


def strings() -> np.ndarray:
    """Six plucked strings (E minor 9), panned from left to right, and once more back together."""
    n = int(3.0 * RATE)
    y = np.zeros((2, n))
    for i, pitch in enumerate((82.41, 123.47, 196.0, 246.94, 369.99, 587.33)):
        pan = np.pi / 2 * i / 5
        y += np.array([[np.cos(pan)], [np.sin(pan)]]) * (string(0.22 * i, pitch, n, 1.6) + 0.5 * string(1.6, pitch, n, 1.6))
    return 0.6 * y / np.abs(y).max() * np.clip(np.arange(n)[::-1] / (0.2 * RATE), 0, 1)


def room(seconds: float, decay: float, seed: int) -> np.ndarray:
    """A room response: the direct sound at 0, a few reflections, and noise that falls by 60 dB in 6.9 · decay seconds."""
    n, rng = int(seconds * RATE), np.random.default_rng(seed)
    t = np.arange(n) / RATE
    y = 0.12 * rng.standard_normal(n) * np.exp(-t / decay) * np.clip((t - 0.008) / 0.02, 0, 1)
    for delay, gain in ((0.0071, 0.5), (0.0113, -0.4), (0.0173, 0.35), (0.0239, 0.25), (0.0311, -0.2)):
        y[round(delay * RATE)] += gain
    y[0] = 1.0
    return y * np.clip(np.arange(n)[::-1] / (0.05 * RATE), 0, 1)


def bell(onset: float, pitch: float, n: int) -> np.ndarray:
    """A struck bar: partials at 1, 2.76 and 5.40 times the pitch, the higher the shorter."""
    t, first = after(onset, n)
    y = np.zeros(n)
    for ratio, level, decay in ((1, 1.0, 0.45), (2.76, 0.35, 0.16), (5.40, 0.15, 0.07)):
        if ratio * pitch < 0.45 * RATE:
            y[first:] += level * np.exp(-t / decay) * np.sin(2 * np.pi * ratio * pitch * t)
    y[first:] *= np.clip(t / 0.002, 0, 1)
    return y


def string(onset: float, pitch: float, n: int, decay: float, soft: float = 1.2) -> np.ndarray:
    """A string plucked at a fifth of its length: partials k at 1/k^soft, the higher the shorter."""
    t, first = after(onset, n)
    y = np.zeros(n)
    for k in range(1, 25):
        if k * pitch < 0.45 * RATE:
            level = np.sin(np.pi * k / 5) / k**soft * np.exp(-t * (1 + 0.25 * k) / decay)
            y[first:] += level * np.sin(2 * np.pi * k * pitch * t)
    y[first:] *= np.clip(t / 0.002, 0, 1)
    return y


def after(onset: float, n: int) -> tuple[np.ndarray, int]:
    """The time since an onset at every sample from it on, and the first of those samples."""
    first = int(np.ceil(onset * RATE))
    return np.arange(first, n) / RATE - onset, first


def picture(path: Path) -> None:
    """256 × 256 RGB: a sky that shades, a sun, a house of straight edges, stripes ever finer, grass as texture."""
    from PIL import Image

    y, x = np.mgrid[0:256, 0:256] + 0.5
    rgb = np.stack([0.35 + 0.4 * y / 256, 0.55 + 0.3 * y / 256, 0.85 + 0 * y])
    paint(rgb, cover(34 - np.hypot(x - 196, y - 56)), (0.98, 0.86, 0.35))
    far = 150 - 28 * np.sin(x / 41 + 0.6) - 12 * np.sin(x / 17)
    paint(rgb, cover(y - far), (0.38, 0.47, 0.55))
    grain = np.random.default_rng(9).standard_normal((256, 256))
    grain = (grain + np.roll(grain, 1, 0) + np.roll(grain, 2, 0)) / 3
    paint(rgb, cover(y - 192), np.stack([0.22 + 0.08 * grain, 0.48 + 0.13 * grain, 0.20 + 0.06 * grain]))
    paint(rgb, box(x, y, 40, 118, 132, 218), (0.80, 0.36, 0.27))
    paint(rgb, cover(np.minimum(118.5 - y, y - 68 - np.abs(x - 86) * 0.86)), (0.33, 0.20, 0.18))
    paint(rgb, box(x, y, 56, 136, 80, 162), (0.95, 0.93, 0.75))
    paint(rgb, box(x, y, 66.5, 136, 69.5, 162) + box(x, y, 56, 147.5, 80, 150.5), (0.25, 0.16, 0.14))
    paint(rgb, box(x, y, 96, 160, 118, 218), (0.30, 0.22, 0.35))
    stripes = 0.5 + 0.5 * np.sin(2 * np.pi * (x - 150) ** 2 / 1100)
    paint(rgb, box(x, y, 150, 160, 244, 186), np.stack([stripes] * 3))
    cells = ((x // 8).astype(int) + (y // 8).astype(int)) % 2
    paint(rgb, box(x, y, 152, 200, 248, 248), np.stack([0.1 + 0.8 * cells] * 3))
    pixels = np.round(255 * np.clip(rgb, 0, 1)).astype(np.uint8)
    Image.fromarray(np.ascontiguousarray(np.moveaxis(pixels, 0, -1))).save(path, optimize=True)


def cover(distance: np.ndarray) -> np.ndarray:
    """How much of a pixel lies inside a shape, from the signed distance to its rim."""
    return np.clip(distance + 0.5, 0, 1)


def box(x: np.ndarray, y: np.ndarray, left: float, top: float, right: float, bottom: float) -> np.ndarray:
    """The cover of a rectangle."""
    return cover(np.minimum(np.minimum(x - left, right - x), np.minimum(y - top, bottom - y)))


def paint(rgb: np.ndarray, alpha: np.ndarray, colour: tuple[float, ...] | np.ndarray) -> None:
    """Lay a colour, or a grey, over the picture where `alpha` is."""
    alpha = np.minimum(alpha, 1)
    rgb += alpha * (np.asarray(colour, float).reshape(-1, *np.shape(colour)[1:] or (1, 1)) - rgb)


def phantom() -> np.ndarray:
    """A head of ellipsoids, 48³ uint8: skull, brain, two ventricles, a bright spot; in the way of Shepp and Logan."""
    z, y, x = (np.mgrid[0:48, 0:48, 0:48] - 23.5) / 24
    volume = np.zeros((48, 48, 48))
    for (cz, cy, cx), (rz, ry, rx), turn, level in (
            ((0, 0, 0), (0.90, 0.92, 0.74), 0, 200), ((0, 0, 0), (0.82, 0.84, 0.66), 0, 90),
            ((0.05, -0.05, 0.22), (0.35, 0.36, 0.11), -0.3, 30), ((0.05, -0.05, -0.22), (0.35, 0.42, 0.14), 0.3, 30),
            ((0.2, 0.4, 0), (0.22, 0.24, 0.2), 0, 140), ((-0.35, -0.5, 0.1), (0.12, 0.12, 0.12), 0, 240),
            ((-0.45, 0.2, -0.3), (0.16, 0.2, 0.1), 0.5, 120)):
        u, v = x - cx, y - cy
        u, v = u * np.cos(turn) + v * np.sin(turn), v * np.cos(turn) - u * np.sin(turn)
        inside = ((z - cz) / rz) ** 2 + (v / ry) ** 2 + (u / rx) ** 2 < 1
        volume[inside] = level
    return volume.astype(np.uint8)


def film(path: Path) -> None:
    """25 frames of 80 ms, 96 × 96, grey: a dot goes right, one down to the right, a bar turns half round, checks with grain
    stand still, a lamp flashes for one frame."""
    from PIL import Image

    y, x = np.mgrid[0:96, 0:96] + 0.5
    grain = np.random.default_rng(13).uniform(-0.12, 0.12, (96, 96))
    checks = 0.42 + 0.22 * ((x // 7).astype(int) + (y // 7).astype(int) & 1) + grain
    scene = np.full((96, 96), 0.12)
    scene[56:91, 7:42] = checks[56:91, 7:42]
    frames = []
    for i in range(25):
        frame, turn = scene.copy()[None], np.pi * i / 25
        along, across = ((x - 26) * np.cos(turn) + (y - 33) * np.sin(turn), (y - 33) * np.cos(turn) - (x - 26) * np.sin(turn))
        paint(frame, cover(np.minimum(15 - np.abs(along), 2.5 - np.abs(across))), (0.7,))
        paint(frame, cover(3.5 - np.hypot(x - 8 - 80 * i / 24, y - 9)), (1.0,))
        paint(frame, cover(3.5 - np.hypot(x - 44 - 2 * i, y - 18 - 2 * i)), (1.0,))
        if i == 12:
            paint(frame, cover(8 - np.hypot(x - 60, y - 80)), (1.0,))
        frames.append(Image.fromarray(np.round(51 * np.clip(frame[0], 0, 1)).astype(np.uint8) * 5))
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=80, loop=0, optimize=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
