"""What the words of a line tell: whether it asks for work, and whether it touches health data.

Plain word lists, so that a reviewer reads every rule. They see English logs; other languages pass as routine.
"""

from __future__ import annotations

import re

_TROUBLE = re.compile(
    r"(?<![a-z])(?:error|errors|fail|fails|failed|failure|failures|fatal|critical|severe|alert|warn|warning|denied|"
    r"refused|rejected|timeout|timed out|exception|invalid|unable|cannot|can't|couldn't|lost|abnormally|exceeded|"
    r"full|dropped|down|unreachable|expired|missing|not found|broken|corrupt|corrupted|crash|crashed|killed|retry|"
    r"retrying|stale|stuck|overdue|unavailable|disconnected|interrupted|break-in|forbidden|unhealthy|degraded)"
    r"(?![a-z])"
)
_HEALTH = re.compile(
    r"(?<![a-z])(?:patient|patients|diagnosis|diagnoses|medical|prescription|prescriptions|mrn|phi|hl7|icd-10|"
    r"member id|health record|lab result|treatment|medication|claimant)(?![a-z])"
)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def _plain(text: str) -> str:
    return _CAMEL.sub(" ", text).replace("_", " ").lower()


def trouble(text: str) -> tuple[str, ...]:
    """Words that say something went wrong, in order, each once."""
    return tuple(dict.fromkeys(_TROUBLE.findall(_plain(text))))


def health(text: str) -> tuple[str, ...]:
    """Words that say health data may be involved, in order, each once."""
    return tuple(dict.fromkeys(_HEALTH.findall(_plain(text))))
