#!/usr/bin/env bash
# Makes the pictures of the README again: the page of the first minute, as Chromium draws it.
set -euo pipefail
here=$(cd "$(dirname "$0")/pictures" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
sigconv listen --kernel edge --no-open -q
chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --no-first-run --disable-background-networking --user-data-dir="$folder/profile" \
    --window-size=1120,1530 --virtual-time-budget=4000 --screenshot="$folder/page.png" "file://$folder/speech.edge.html" 2>/dev/null
python - "$folder/page.png" "$here/page.png" <<'PY'
import sys
from PIL import Image
Image.open(sys.argv[1]).convert("RGB").quantize(256).save(sys.argv[2], optimize=True)
PY
ls -l "$here/page.png"
