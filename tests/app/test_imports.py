"""What the processes of a node hold in memory begins with what they import: heavy libraries only where they are needed.

A library that is loaded late is easily loaded early again, by one import at the head of a module that everybody shares.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

#: What makes and reads files of people (workbooks, papers, pictures), migrates, and asks services elsewhere.
FILES = {"openpyxl", "fpdf", "fontTools", "PIL", "alembic", "mako", "pygments", "rich", "httpx"}
#: Compiled loops and columnar tables: the engine's, the first also of access.
COMPILED, COLUMNAR = {"numba", "llvmlite", "scipy"}, {"pyarrow", "chdb"}
RECORDS = {"sqlalchemy", "cryptography", "shapely"}
PAGES = {"fastapi"}

ABSENT = {
    "engine": FILES | PAGES,
    "access": FILES | PAGES | COLUMNAR,
    "web": FILES | COMPILED | COLUMNAR,
    # The supervisor of a node, with the command line that it was started by.
    "run": FILES | PAGES | COMPILED | COLUMNAR | RECORDS | {"numpy"},
}


@pytest.mark.parametrize("process", sorted(ABSENT))
def test_a_process_imports_nothing_heavy_that_it_does_not_need(process: str):
    code = (
        f"import sys, hazwatch.cli, hazwatch.app.{process}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    )
    loaded = set(
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    )
    assert "hazwatch" in loaded
    assert not loaded & ABSENT[process]
