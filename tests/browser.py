"""A headless Chromium for tests, driven by chromedriver's HTTP interface (the W3C WebDriver protocol)."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
DRIVER = shutil.which("chromedriver")
SWITCHES = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--disable-extensions",
            "--hide-scrollbars", "--autoplay-policy=no-user-gesture-required", "--mute-audio"]


class Browser:
    """One window. `open` a file, `run` scripts (`await` allowed, the value of `return` comes back), `logs`, `shot`."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.driver = subprocess.Popen([str(DRIVER), f"--port={self.port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self.session = self._start()
        except Exception:
            self.close()
            raise

    def _start(self) -> str:
        for _ in range(200):
            try:
                if self._ask("GET", "/status")["ready"]:
                    break
            except OSError:
                time.sleep(0.05)
        options = {"binary": CHROMIUM, "args": [*SWITCHES, f"--user-data-dir={self.folder.name}"]}
        wish = {"browserName": "chrome", "goog:chromeOptions": options,
                "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}, "timeouts": {"script": 60_000}}
        return self._ask("POST", "/session", {"capabilities": {"alwaysMatch": wish}})["sessionId"]

    def _ask(self, method: str, path: str, body: dict | None = None) -> Any:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method,
                                         data=None if body is None else json.dumps(body).encode(),
                                         headers={"Content-Type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=90) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as why:
            raise AssertionError(json.load(why)["value"]["message"].splitlines()[0]) from None

    def _session(self, method: str, path: str, body: dict | None = None) -> Any:
        return self._ask(method, f"/session/{self.session}{path}", body)

    def open(self, path: Path) -> None:
        self._session("POST", "/url", {"url": "about:blank"})
        self.logs("browser")
        self.logs("performance")
        self._session("POST", "/url", {"url": path.resolve().as_uri()})

    def run(self, script: str, *arguments: Any) -> Any:
        wrapped = f"const done = arguments[arguments.length - 1]; (async () => {{ {script} }})().then(" \
                  "(v) => done({value: v === undefined ? null : v}), (e) => done({error: String(e && e.stack || e)}));"
        answer = self._session("POST", "/execute/async", {"script": wrapped, "args": list(arguments)})
        assert "error" not in answer, answer["error"]
        return answer["value"]

    def floats(self, expression: str) -> Any:
        """A Float32Array of the page as NumPy."""
        import numpy as np

        text = self.run(f"const f = {expression}, b = new Uint8Array(f.buffer, f.byteOffset, f.byteLength); "
                        "let s = ''; for (let i = 0; i < b.length; i += 4096) "
                        "s += String.fromCharCode(...b.subarray(i, i + 4096)); return btoa(s);")
        return np.frombuffer(base64.b64decode(text), "<f4")

    def cdp(self, command: str, **parameters: Any) -> Any:
        return self._session("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def key(self, key: str) -> None:
        actions = [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        self._session("POST", "/actions", {"actions": [{"type": "key", "id": "k", "actions": actions}]})

    def logs(self, kind: str) -> list[dict]:
        return self._session("POST", "/se/log", {"type": kind})

    def requests(self) -> list[str]:
        """Every address asked for since `open`, data: aside."""
        messages = [json.loads(entry["message"])["message"] for entry in self.logs("performance")]
        urls = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
        return [u for u in urls if not u.startswith(("data:", "chrome:"))]

    def shot(self, path: Path, width: int, height: int | None = None, scheme: str = "light") -> None:
        self.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height or 900, deviceScaleFactor=1, mobile=False)
        if height is None:
            height = int(self.run("return document.documentElement.scrollHeight"))
            self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        path.write_bytes(base64.b64decode(self.cdp("Page.captureScreenshot", format="png")["data"]))

    def close(self) -> None:
        try:
            if hasattr(self, "session"):
                self._session("DELETE", "")
        finally:
            self.driver.terminate()
            self.driver.wait(10)
            with suppress(OSError):
                self.folder.cleanup()
