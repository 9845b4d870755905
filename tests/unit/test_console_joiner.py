"""The console's modules become one, or are refused with the line that keeps them from it."""

from pathlib import Path

import pytest

import serve
from serve import Unjoinable, joined

VENDOR = 'import { html } from "./vendor/preact.js";'


@pytest.fixture
def static(tmp_path: Path) -> Path:
    (tmp_path / "screens").mkdir()
    return tmp_path


def write(static: Path, **modules: str) -> Path:
    """Modules by name, without `.js`; `screens_one` is screens/one.js."""
    for name, text in modules.items():
        (static / f"{name.replace('_', '/')}.js").write_text(text)
    return static


def test_modules_stand_behind_those_that_they_import_each_once(static: Path) -> None:
    write(
        static,
        app='import { One } from "./screens/one.js";\nimport { call } from "./api.js";\nOne(call);\n',
        screens_one='import { call } from "../api.js";\nimport { word } from "../format.js";\n'
        "export function One() { return call(word); }\n",
        api='import { word } from "./format.js";\nexport const call = () => word;\n',
        format='export const word = "a";\n',
    )

    text = joined(static)

    assert [line for line in text.splitlines() if line.startswith("//")] == [
        "// format.js",
        "// api.js",
        "// screens/one.js",
        "// app.js",
    ]
    assert "import" not in text.replace("// ", "")
    assert "export" not in text
    assert text.endswith("// app.js\nOne(call);\n")


def test_the_libraries_are_imported_once_with_what_all_modules_take(static: Path) -> None:
    write(
        static,
        app='import { html, render } from "./vendor/preact.js";\nimport { One } from "./screens/one.js";\n',
        screens_one='import { useState, html } from "../vendor/preact.js";\nexport function One() {}\n',
    )

    text = joined(static)

    assert text.startswith('import { html, render, useState } from "./vendor/preact.js";\n')
    assert text.count("import ") == 1


def test_modules_that_import_one_another_are_joined_as_a_browser_runs_them(static: Path) -> None:
    write(
        static,
        app='import { part } from "./parts.js";\nexport function go() { part(); }\n',
        parts='import { go } from "./app.js";\nexport function part() { go(); }\n',
    )

    assert joined(static) == "// parts.js\nfunction part() { go(); }\n// app.js\nfunction go() { part(); }\n"


def test_what_is_indented_is_no_declaration(static: Path) -> None:
    body = "function go() {\n  const one = 1;\n}\nfunction on() {\n  const one = 2;\n}\n"

    assert joined(write(static, app=body)) == "// app.js\n" + body.replace("  ", "")


def test_comments_and_indentation_are_left_out_whatever_comments_say(static: Path) -> None:
    body = "// import( and innerHTML are refused\nfunction go() {\n  // one\n  return 1; // two\n}\n"

    assert joined(write(static, app=body)) == "// app.js\nfunction go() {\nreturn 1; // two\n}\n"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('const page = () => import("./x.js");', "app.js:2: it imports dynamically"),
        ("import {\n  html,\n} from './x.js';", "app.js:2: write an import as one line"),
        ('import x from "./x.js";', "app.js:2: write an import as one line"),
        ('import * as x from "./x.js";', "app.js:2: write an import as one line"),
        ('import { one as x } from "./x.js";', "app.js:2: write an import as one line"),
        ('import "./x.js";', "app.js:2: write an import as one line"),
        ('import { x } from "preact";', "app.js:2: write an import as one line"),
        ("export default function x() {}", "app.js:2: declare one name, and export by"),
        ("export { html };", "app.js:2: declare one name, and export by"),
        ("export class X {}", "app.js:2: declare one name, and export by"),
        ("const { x } = window;", "app.js:2: declare one name, and export by"),
        ("var x = 1;", "app.js:2: declare one name, and export by"),
        ("const x = 1;\nfunction x() {}", "app.js:3: x is declared above"),
        ('x.innerHTML = "<p>";', "app.js:2: it writes HTML"),
        ("html`<p dangerouslySetInnerHTML=${x} />`;", "app.js:2: it writes HTML"),
        ('x.insertAdjacentHTML("beforeend", y);', "app.js:2: it writes HTML"),
        ('html`<p style="color: red" />`;', "app.js:2: it has inline style text"),
        ("html`<p style='color: red' />`;", "app.js:2: it has inline style text"),
        ('eval("1");', "app.js:2: it runs text"),
        ('new Function("1")();', "app.js:2: it runs text"),
        ('import { x } from "./y.js";', "app.js: there is no y.js"),
        ('import { other } from "./x.js";', "app.js: x.js exports no other"),
        ('import { hidden } from "./x.js";', "app.js: x.js exports no hidden"),
        ('import { one } from "./x.js";\nfunction hidden() {}', "app.js: hidden is also a name of x.js"),
        ("function html() {}", "app.js: html is also a name of vendor/preact.js"),
    ],
)
def test_what_cannot_be_joined_is_refused_with_its_place(static: Path, line: str, says: str) -> None:
    write(static, app=f"{VENDOR}\n{line}\n", x="export const one = 1;\nconst hidden = 2;\n")

    with pytest.raises(Unjoinable) as refused:
        joined(static)

    assert str(refused.value).startswith(says)


def test_a_style_of_values_is_no_inline_text(static: Path) -> None:
    joined(write(static, app="html`<p style=${{ width }} />`;\n"))


def test_the_tree_s_modules_are_all_reached_and_import_what_the_libraries_export() -> None:
    text = joined(serve.STATIC)
    vendored = text.splitlines()[0].partition("{ ")[2].partition(" }")[0].split(", ")
    exported = (serve.STATIC / serve.VENDOR).read_text().rpartition("export{")[2].partition("}")[0]

    found = {line.removeprefix("// ") for line in text.splitlines() if line.startswith("// ") and line.endswith(".js")}

    present = {path.relative_to(serve.STATIC).as_posix() for path in serve.STATIC.rglob("*.js")}
    assert found == present - {serve.VENDOR}
    assert set(vendored) <= {name.rpartition(" as ")[2] for name in exported.split(",")}
