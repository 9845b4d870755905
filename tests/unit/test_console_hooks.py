"""What the console's screens of webhooks know by heart."""

import re

from hooks.types import type_of
from tests.template_reader import ROOT


def test_the_picker_of_events_has_every_type_that_the_architecture_lists() -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    table = text.split("| Event | When |")[1].split("\n\n")[0]
    names = [name for line in table.splitlines()[2:] for name in re.findall(r"`([^`]+)`", line.split("|")[1])]

    screen = (ROOT / "console/static/screens/hooks/shared.js").read_text()
    picked = re.search(r"const EVENT_TYPES = \{\n(.*?)\n\};", screen, re.S)
    assert picked
    rows = re.findall(r'^  (\w+): "([\w ]+)",$', picked[1], re.M)
    types = [f"{context}.{name}" for context, row in rows for name in row.split()]

    assert sorted(types) == sorted({type_of(name) for name in names})
