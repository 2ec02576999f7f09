"""`python -m tools.sample_log FOLDER`: make the sample of this format and its description."""

import argparse
import json
from pathlib import Path

from tools.sample_log.describing import describe
from tools.sample_log.making import make


def main() -> None:
    """Make the log and its description anew."""
    parser = argparse.ArgumentParser(prog="tools.sample_log", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    log = folder / "format-1.crk"
    log.unlink(missing_ok=True)
    make(log)
    described = json.dumps(describe(log), indent=1, ensure_ascii=False)
    (folder / "format-1.json").write_text(described + "\n")


if __name__ == "__main__":
    main()
