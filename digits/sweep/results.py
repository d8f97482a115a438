"""What a run leaves behind: its metrics, the hashes of its outputs, and its last words."""

import json
import math
from pathlib import Path
from typing import Any

import yaml


def read_metrics(root: Path, files: tuple[str, ...]) -> dict[str, float]:
    """Return the finite numbers of metrics files by their names, nested ones joined by dots."""
    numbers: dict[str, float] = {}
    for file in files:
        path = root / file
        if path.suffix in (".json", ".yaml", ".yml") and path.exists():
            numbers |= number_metrics(parse_metrics(path.name, path.read_text(encoding="utf-8")))
    return numbers


def number_metrics(content: Any) -> dict[str, float]:
    """Return the finite numbers in nested dictionaries, their names joined by dots."""
    numbers: dict[str, float] = {}

    def collect(name: str, value: Any) -> None:
        if isinstance(value, dict):
            for inner, child in value.items():
                collect(f"{name}.{inner}" if name else str(inner), child)
        elif isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
            numbers[name] = value

    collect("", content)
    return numbers


def parse_metrics(name: str, text: str) -> Any:
    """Return the content of a metrics file, by the ending of its name."""
    return json.loads(text) if name.endswith(".json") else yaml.safe_load(text)


def locked_outputs(text: str) -> dict[str, str]:
    """Return the hash of each output that the text of a dvc.lock names, by the output's path."""
    stages = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)).get("stages", {})
    outs = [out for stage in stages.values() for out in stage.get("outs", [])]
    return {out["path"]: out["md5"] for out in sorted(outs, key=lambda out: str(out["path"])) if "md5" in out}


def last_words(log: Path) -> str:
    """Return the last line that a stage wrote, and what DVC says of it."""
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines()]
    lines = [line for line in lines if line]
    places = [place for place, line in enumerate(lines) if line.startswith("ERROR: ")]
    if not places:
        return lines[-1] if lines else "no reason given"
    before = lines[places[0] - 1] if places[0] and not lines[places[0] - 1].startswith(">") else ""
    error = lines[places[0]].removeprefix("ERROR: ")
    return f"{error}: {before}" if before else error
