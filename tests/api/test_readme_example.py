"""The program that the README shows, run as it stands there."""

import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_program_of_the_readme(tmp_path: Path) -> None:
    """It plans and applies against the demo's registry, and prints what became of each image, in two dozen lines at most."""
    section = README.read_text(encoding="utf-8").partition("## From Python\n")[2].partition("\n## ")[0]
    programs: list[str] = re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    (program,) = programs

    result = subprocess.run(  # noqa: S603
        [sys.executable, "-c", program], cwd=tmp_path, env={"PATH": ""}, capture_output=True, text=True, check=True
    )

    assert len(program.splitlines()) <= 24
    assert result.stderr == ""
    assert [re.sub(r"127\.0\.0\.1:\d+", "HOST", line) for line in result.stdout.splitlines()] == [
        "deleted HOST/team/app:pr-41",
        "deleted HOST/team/app:pr-42",
        "deleted HOST/team/app:pr-42-keep",
        "kept HOST/team/web:edge",
    ]
