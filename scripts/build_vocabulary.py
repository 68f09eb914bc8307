"""Write the reference captions, anyseek/search/vocabulary.txt, from words and templates of our own, and what the starter makes of them.

The words are in build_vocabulary.words.txt. `python scripts/build_vocabulary.py --check` changes nothing and fails when the captions are
out of date. Without it the starter encodes them, too, into anyseek/search/vocabulary-FINGERPRINT.npz, so that a library needs not: run it
again whenever the starter changes.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

WORDS = Path(__file__).with_suffix(".words.txt")
VOCABULARY = Path(__file__).parents[1] / "anyseek" / "search" / "vocabulary.txt"
HEAD = "# Made by scripts/build_vocabulary.py: one text a line, each once, in sections."


def sections(words: str) -> dict[str, list[str]]:
    """The captions of each section, without those that an earlier one has."""
    found: dict[str, list[str]] = {}
    seen: set[str] = set()
    templates: list[str] = []
    for line in words.splitlines():
        heading = re.fullmatch(r"\[(\w+)\] (.*)", line)
        if heading:
            section = found.setdefault(heading[1], [])
            templates = [template.strip() for template in heading[2].split(";")]
        elif line.strip() and not line.startswith("#"):
            captions = [caption for template in templates if (caption := filled(template, line))]
            section += [caption for caption in captions if caption not in seen]
            seen.update(captions)
    return found


def filled(template: str, line: str) -> str | None:
    """A template with a line's fields in it; None where a field that it needs is empty."""
    fields = [field.strip() for field in line.split("|")]
    places = [(place[1], place[2]) for place in re.finditer(r"\{(a )?(\d?)\}", template)]
    values = [fields[int(number or 0)] if int(number or 0) < len(fields) else "" for _, number in places]
    if not all(values):
        return None
    named = iter([f"{article(value)} {value}" if wants else value for (wants, _), value in zip(places, values, strict=True)])
    return re.sub(r"\{(a )?\d?\}", lambda _: next(named), template)


def article(noun: str) -> str:
    """The article by the first letter, with the few exceptions that the words have."""
    vowel = noun[0].lower() in "aeiou" and not noun.lower().startswith(("eu", "uk", "un", "us"))
    return "an" if vowel or noun.startswith("underground") else "a"


def page() -> str:
    """The file as it should be."""
    found = sections(WORDS.read_text(encoding="utf-8"))
    return "\n".join([HEAD, *(line for name, captions in found.items() for line in (f"# {name}", *captions)), ""])


def write_vectors() -> None:
    """Let the starter encode the captions as they are now."""
    import numpy as np

    from anyseek.encoders.registry import load
    from anyseek.search.vocabulary import Vocabulary

    starter, vocabulary = load("starter"), Vocabulary.shipped()
    for old in VOCABULARY.parent.glob("vocabulary-*.npz"):
        old.unlink()
    vectors = starter.encode_text(list(vocabulary.texts)).astype(np.float16)
    key = np.array(f"{starter.space.fingerprint} {vocabulary.digest}")
    np.savez(VOCABULARY.parent / f"vocabulary-{starter.space.fingerprint[:16]}.npz", key=key, vectors=vectors)


def main() -> None:
    wanted = page()
    if "--check" not in sys.argv:
        VOCABULARY.write_text(wanted, encoding="utf-8")
        write_vectors()
    elif not VOCABULARY.exists() or VOCABULARY.read_text(encoding="utf-8") != wanted:
        sys.exit(f"{VOCABULARY} is out of date: run  python scripts/build_vocabulary.py")


if __name__ == "__main__":
    main()
