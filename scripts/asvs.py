"""Makes docs/asvs.md of docs/asvs.toml: each requirement of the ASVS with its test, or why there is none."""

from __future__ import annotations

import ast
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SOURCE, DOCUMENT = ROOT / "docs" / "asvs.toml", ROOT / "docs" / "asvs.md"
FIELDS = {"level", "asks", "tests", "see", "note", "missing", "not_for_us"}
STATES = ("shown", "in part", "not yet", "does not apply")
HEAD = """# Security requirements (OWASP ASVS 5.0.0, levels 1 and 2)

Each requirement of the [standard](https://github.com/OWASP/ASVS/tree/v5.0.0) up to level 2, in our own words, with the
test that shows it in a running system, or the reason why it does not apply or is not met yet. This page is made of
`asvs.toml` by `make docs`; a test holds that every test named here exists. To run one:
`.venv/bin/python -m pytest tests/<name>`.

"""


@dataclass(frozen=True)
class Requirement:
    """A requirement and what is done about it."""

    id: str
    level: int
    asks: str
    tests: tuple[str, ...]
    see: tuple[str, ...]
    note: str
    missing: str
    not_for_us: str

    @property
    def state(self) -> str:
        """One of `STATES`."""
        if self.not_for_us:
            return "does not apply"
        if self.missing:
            return "in part" if self.tests or self.see else "not yet"
        return "shown"


def read(source: Path = SOURCE) -> dict[str, tuple[str, list[Requirement]]]:
    """The chapters, each with its title and requirements. Raises ValueError naming a line that is not whole."""
    chapters = {}
    for chapter, lines in tomllib.loads(source.read_text()).items():
        title = lines.pop("title")
        chapters[chapter] = title, [_requirement(number, line) for number, line in lines.items()]
    return chapters


def _requirement(number: str, line: dict[str, Any]) -> Requirement:
    found = Requirement(
        number, line.get("level", 0), line.get("asks", ""), tuple(line.get("tests", ())), tuple(line.get("see", ())),
        line.get("note", ""), line.get("missing", ""), line.get("not_for_us", ""),
    )
    proof = found.tests or found.see or found.missing
    if set(line) - FIELDS or found.level not in {1, 2} or not found.asks or bool(found.not_for_us) == bool(proof):
        raise ValueError(f"{number} says too little, too much, or two things at once")
    return found


def tests_of(path: Path) -> set[str]:
    """The names of the tests in a file."""
    return {
        node.name for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_")
    }


def document(chapters: dict[str, tuple[str, list[Requirement]]]) -> str:
    """The page."""
    every = [requirement for _, requirements in chapters.values() for requirement in requirements]
    counts = {state: sum(r.state == state for r in every) for state in STATES}
    parts = [HEAD, "| " + " | ".join(["requirements", *STATES]) + " |\n|" + "---|" * 5 + "\n"]
    parts.append("| " + " | ".join(str(n) for n in (len(every), *counts.values())) + " |\n")
    for chapter, (title, requirements) in chapters.items():
        parts.append(f"\n## {chapter} {title}\n\n| # | level | asks for | | by |\n|---|---|---|---|---|\n")
        parts += [f"| {r.id} | {r.level} | {r.asks} | {r.state} | {_by(r)} |\n" for r in requirements]
    return "".join(parts)


def _by(requirement: Requirement) -> str:
    shown = [f"`{test}`" for test in requirement.tests]
    shown += [f"[{path}]({_link(path)})" for path in requirement.see]
    said = [requirement.note, f"Missing: {requirement.missing}" if requirement.missing else "", requirement.not_for_us]
    return "<br>".join([*shown, *filter(None, said)])


def _link(path: str) -> str:
    """A path as a page in docs/ links to it."""
    return path.removeprefix("docs/") if path.startswith("docs/") else f"../{path}"


def main() -> None:
    """Writes the page."""
    DOCUMENT.write_text(document(read()))


if __name__ == "__main__":
    main()
