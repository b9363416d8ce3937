"""Numbers in words, the same everywhere: lengths, frequencies, levels, delays."""

from __future__ import annotations

from math import inf, log10

__all__ = ["both", "decibel", "delay", "frequency", "length", "share", "span"]


def decibel(level: float, digits: int = 1) -> str:
    """`"−12.3 dB"`, `"+6.0 dB"`; a level that is zero to these digits has no sign.

    >>> decibel(-12.34), decibel(6.0206), decibel(-0.01)
    ('−12.3 dB', '+6.0 dB', '0.0 dB')
    """
    if level == -inf:
        return "−inf dB"
    text = f"{level:+.{digits}f}"
    if not float(text):
        return f"{0:.{digits}f} dB"
    return text.replace("-", "−") + " dB"


def gain(ratio: float) -> str:
    """A ratio of amplitudes as a level."""
    return decibel(20 * log10(abs(ratio))) if ratio else decibel(-inf)


def both(words: list[str]) -> str:
    """`"z, y and x"`."""
    return " and ".join(words) if len(words) < 3 else f"{', '.join(words[:-1])} and {words[-1]}"


def length(value: float, unit: str) -> str:
    """`"20 ms"`, `"1.5 s"`, `"2 px"`, `"1.2 kHz"`: four digits, in the prefix that fits.

    >>> length(0.02, "s"), length(0.000125, "s"), length(2.0, "px")
    ('20 ms', '0.125 ms', '2 px')
    """
    if unit == "Hz":
        return frequency(value, "s")
    if unit == "s":
        return f"{_four(value)} s" if abs(value) >= 1 or not value else f"{_four(1e3 * value)} ms" if abs(value) >= 1e-4 else \
            f"{_four(1e6 * value)} µs"
    return f"{_four(value)} {unit}".rstrip()


def span(samples: float, step: float, unit: str) -> str:
    """A length, and in samples too where these are not its unit.

    >>> span(2, 1 / 8000, "s"), span(3, 1.0, "px"), span(1, 0.5, "mm")
    ('0.25 ms = 2 samples', '3 px', '0.5 mm = 1 sample')
    """
    said = length(samples * step, unit)
    if unit in ("", "sample") or (unit == "px" and step == 1):
        return said
    return f"{said} = {_four(samples)} {_step(samples, unit)}"


def _step(count: float, unit: str) -> str:
    """What a step of an axis is called: a bin of a spectrum, else a sample."""
    return ("bin" if unit == "Hz" else "sample") + "s" * bool(abs(count - 1) > 1e-6)


def frequency(value: float, unit: str) -> str:
    """`"440 Hz"`, `"1.661 kHz"`, on other axes `"0.1 cycles/px"`, along the frequencies of a spectrogram `"1 cycle in 80 Hz"`.

    >>> frequency(1661.2, "s"), frequency(0.125, "px"), frequency(1 / 80, "Hz")
    ('1.661 kHz', '0.125 cycles/px', '1 cycle in 80 Hz')
    """
    if unit == "Hz" and value:
        return f"1 cycle in {length(1 / value, unit)}"
    if unit == "s":
        return f"{_four(value / 1000)} kHz" if abs(value) >= 999.95 else f"{_four(value)} Hz"
    return f"{_four(value)} cycles/{unit or 'sample'}"


def delay(samples: float, step: float, unit: str) -> str:
    """`"no delay"`, `"half-sample delay"`, `"delay of 2 ms (16 samples)"`, `"2 ms early (16 samples)"`; of a pitch
    `"40 Hz up (2 bins)"`.

    >>> delay(0, 1, "px"), delay(0.5, 1, "px"), delay(16, 1 / 8000, "s"), delay(-2, 1.0, "px")
    ('no delay', 'half-sample delay', 'delay of 2 ms (16 samples)', '2 px early')
    """
    if unit == "Hz":
        return _moved(samples, step)
    if abs(samples) < 1e-6:
        return "no delay"
    if abs(abs(samples) - 0.5) < 1e-6:
        return "half-sample delay" if samples > 0 else "half a sample early"
    size = abs(samples)
    plain = f"{size:.6g} sample{'s' * bool(abs(size - 1) > 1e-6)}"
    long = length(size * step, unit)
    said = long if unit == "px" and step == 1 else f"{long} ({plain})" if unit and unit != "sample" else plain
    if samples > 0:
        return f"delay of {said}"
    return f"{long} early ({plain})" if "(" in said else f"{said} early"


def _moved(bins: float, step: float) -> str:
    """A shift along frequencies."""
    if abs(bins) < 1e-6:
        return "not moved"
    way = "up" if bins > 0 else "down"
    if abs(abs(bins) - 0.5) < 1e-6:
        return f"half a bin {way}"
    return f"{length(abs(bins) * step, 'Hz')} {way} ({abs(bins):.6g} {_step(abs(bins), 'Hz')})"


def share(value: float) -> str:
    return _four(value)


def _four(value: float) -> str:
    """Four significant digits, without an exponent where it is short."""
    text = f"{value:.4g}"
    return (f"{value:.0f}" if "e+" in text and abs(value) < 1e7 else text).replace("-", "−")
