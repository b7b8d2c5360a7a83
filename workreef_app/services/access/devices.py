"""What kind of browser a session came from, in a few words. Plain functions on plain values."""

from __future__ import annotations

import re
from typing import Final

#: The first that matches counts: most browsers also name the ones that they are like.
_BROWSERS: Final = (
    ("Edge", r"Edg(?:A|iOS)?/(\d{1,4})"), ("Opera", r"OPR/(\d{1,4})"),
    ("Samsung Internet", r"SamsungBrowser/(\d{1,4})"),
    ("Firefox", r"(?:Firefox|FxiOS)/(\d{1,4})"), ("Chrome", r"(?:Chrome|CriOS|HeadlessChrome)/(\d{1,4})"),
    ("Safari", r"Version/(\d{1,4})[^ ]* .*Safari/"), ("cURL", r"^curl/(\d{1,4})"),
)
_SYSTEMS: Final = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows NT"), ("macOS", "Macintosh"),
    ("ChromeOS", "CrOS"), ("Linux", "Linux|X11"),
)


def described(agent: str) -> str:
    """`Firefox 140 on Linux`; what is not known of it stays away, and nothing is known of an empty one."""
    browser = next(
        (f"{name} {found[1]}" for name, pattern in _BROWSERS if (found := re.search(pattern, agent))), ""
    )
    system = next((name for name, pattern in _SYSTEMS if re.search(pattern, agent)), "")
    return " on ".join(filter(None, (browser, system))) or ("Another program" if agent else "")
