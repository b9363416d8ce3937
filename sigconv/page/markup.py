"""Text made safe to stand in a page: in HTML, and in JSON inside a script element."""

from __future__ import annotations

import base64
import json
import math
from html import escape
from typing import Any

from ..errors import printable

__all__ = ["base64_url", "element", "heading", "json_block", "number", "signed", "text", "to_base64"]


def text(value: object, limit: int = 300) -> str:
    """What a file, its name or a note says, on one line, unable to become markup.

    >>> text('<b>"a"&b</b>')
    '&lt;b&gt;&quot;a&quot;&amp;b&lt;/b&gt;'
    """
    return escape(printable(value, limit), quote=True)


def element(tag: str, content: str = "", **attributes: object) -> str:
    """One element; attribute values are escaped, content is markup already. None and False leave an attribute out.

    >>> element("a", "x", class_="k", data_name='"', hidden=True)
    '<a class="k" data-name="&quot;" hidden>x</a>'
    """
    words = "".join(_attribute(name.rstrip("_").replace("_", "-"), value) for name, value in attributes.items())
    return f"<{tag}{words}>{content}</{tag}>"


def _attribute(name: str, value: object) -> str:
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{escape(_plain(str(value)), quote=True)}"'


def heading(name: str, words: str, after: bool) -> str:
    """What stands above a picture before, or after."""
    more = f' <span class="quiet">{text(words)}</span>' if words else ""
    return f'<h3 class="{"after" if after else "before"}">{text(name)}{more}</h3>'


def json_block(value: Any) -> str:
    """JSON that can end no script element: ASCII, with <, > and & as escapes; NaN and infinities become null.

    >>> json_block({"a": "</script>&", "b": float("-inf")})
    '{"a":"\\\\u003c/script\\\\u003e\\\\u0026","b":null}'
    """
    plain = json.dumps(_finite(value), ensure_ascii=True, allow_nan=False, separators=(",", ":"), sort_keys=True)
    return plain.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    if isinstance(value, str):
        return _plain(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def to_base64(content: bytes) -> str:
    """The bytes in base64."""
    return base64.b64encode(content).decode("ascii")


def base64_url(content: bytes, kind: str) -> str:
    """The bytes as a data: address of a media type."""
    return f"data:{kind};base64,{to_base64(content)}"


def _plain(words: str) -> str:
    """Base64 as it is, anything else without control characters and bytes that no text holds."""
    return words if words.isascii() and words.isprintable() else printable(words, 2000)


def number(value: float, digits: int = 4) -> str:
    """A number for people: `digits` significant ones, a true minus, no exponent where it can be helped.

    >>> number(-0.51234), number(12345.6), number(float("-inf"))
    ('−0.5123', '12346', '−∞')
    """
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    size = abs(value)
    short = f"{size:.0f}" if 10**digits <= size < 1e9 else f"{size:.{digits}g}"
    return ("−" if value < 0 and float(short) else "") + short


def signed(value: float, places: int = 2) -> str:
    """A change, with its sign.

    >>> signed(6.0206), signed(-3.0), signed(0.0), signed(float("-inf"))
    ('+6.02', '−3.00', '0.00', '−∞')
    """
    if not math.isfinite(value):
        return number(value)
    short = f"{abs(value):.{places}f}"
    return short if not float(short) else ("+" if value > 0 else "−") + short
