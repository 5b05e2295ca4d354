"""docs/house.md says where everything is."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_every_room_is_in_the_plan() -> None:
    """The list of rooms and the files of the package are the same."""
    plan = (ROOT / "docs" / "house.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"`([a-z0-9_/]+\.py)`", plan))
    package = ROOT / "sidecar"
    files = {str(path.relative_to(package)) for path in package.rglob("*.py")}
    rooms = {file for file in files if not file.endswith("__init__.py")}
    behind_one_door = {file for file in rooms if file.startswith("diagnosis/")}
    assert listed == rooms - behind_one_door
    assert "`diagnosis/`" in plan
