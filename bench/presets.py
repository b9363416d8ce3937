"""What each small preset reaches on spoken digits, layers taught without labels against back-propagation, two questions at once.

Usage: python bench/presets.py DIGITS [--epochs N] [--only TEXT]. DIGITS is the Free Spoken Digit Dataset, in its official
split. A line as each run is done; a minute or two a preset.
"""

from __future__ import annotations

import argparse
import os
from time import process_time
from typing import Any

from measuring import ONE_THREAD

os.environ.update(ONE_THREAD)  # before numpy

import sigconv as sc

RUNS: dict[str, tuple[str, dict[str, Any]]] = {name: (name, {}) for name in sc.learn.PRESETS}
RUNS |= {"tcresnet8 scattering": ("tcresnet8", {"front": "scattering"}),
         "voices scattering": ("voices", {"front": "scattering"}),
         "m5 first layer by oja": ("m5", {"layerwise": "oja"}), "m5 all layers by oja": ("m5", {"layerwise": "oja", "layers": 0}),
         "m5 goes on from oja": ("m5", {"layerwise": "oja-start", "layers": 0}),
         "voices digit and speaker": ("voices", {"heads": "speaker"})}


def main() -> None:
    """Run those whose names hold a text."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("digits")
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--only", default="")
    asked = parser.parse_args()
    data = sc.learn.Speech(asked.digits)
    parts = data.split("official")
    print("| net | parameters | right | CPU s |\n|---|---|---|---|")
    for name, (preset, options) in RUNS.items():
        if asked.only in name:
            begin = process_time()
            run = sc.learn.train(parts, preset, epochs=asked.epochs, watch=lambda said: None, **options)
            right = f"{100 * run.test.accuracy:.1f} %"
            for head in run.net.config.heads:
                right += f", {head} {100 * sc.learn.evaluate(run.net, parts.test, head=head).accuracy:.1f} %"
            print(f"| {name} | {run.net.parameter_count} | {right} | {process_time() - begin:.0f} |", flush=True)


if __name__ == "__main__":
    main()
