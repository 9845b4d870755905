"""The console's libraries: one file, which `make vendor` builds from console/vendor.json."""

import hashlib
import json
import re

from local.vendor import FOLDER, LICENCES, LIST, MODULE, entry, readme

LISTED = json.loads(LIST.read_text())


def test_the_readme_names_the_module_s_digest_and_the_listed_versions() -> None:
    """Whoever edits the module by hand, or the list without building it, is found here; `make vendor` needs node."""
    module = (FOLDER / MODULE).read_bytes()

    written = (FOLDER / "README.md").read_text()

    assert hashlib.sha256(module).hexdigest() in written
    assert written == readme(LISTED, module)


def test_the_module_exports_what_the_list_names_and_html() -> None:
    exported = re.search(r"export\{([^}]*)\};\s*$", (FOLDER / MODULE).read_text())

    assert exported
    names = {name.split(" as ")[-1] for name in exported[1].split(",")}
    assert names == {name for of in LISTED["exports"].values() for name in of} | {"html"}
    assert all(name in entry(LISTED) for name in names)


def test_every_listed_package_has_its_licence_beside_the_module_and_an_integrity() -> None:
    texts = {"MIT": "Permission is hereby granted, free of charge", "Apache-2.0": "Apache License"}

    for name, package in LISTED["packages"].items():
        file = LICENCES[name if name in LICENCES else "@preact/signals"]
        assert texts[package["license"]] in (FOLDER / file).read_text(), name
        assert package["integrity"].startswith("sha512-"), name
    assert all(integrity.startswith("sha512-") for integrity in LISTED["esbuild"]["integrity"].values())
