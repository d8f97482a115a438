"""Measured tables in the pages of docs/."""

from pathlib import Path

from digits.errors import DigitsError
from digits.files import write_text


def write_between(page: Path, name: str, text: str) -> None:
    """Put `text` between the marks `<!-- NAME -->` and `<!-- end of NAME -->` of a page.

    Raises:
        DigitsError: the page lacks the marks.
    """
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    content = page.read_text(encoding="utf-8")
    if begin not in content or end not in content.split(begin)[1]:
        raise DigitsError(f"{page}: the marks {begin} and {end} are missing")
    before, rest = content.split(begin)
    write_text(page, f"{before}{begin}\n{text}\n{end}{rest.split(end)[1]}")
