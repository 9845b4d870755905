"""What is not Python is in the packages of functions and in the kernel's layer too."""

from shutil import ignore_patterns

from aws_lambda_builders.workflows.python_pip.workflow import PythonPipWorkflow

from tests.template.project import SITES, real
from tests.template_reader import ROOT

PLACES = (ROOT / "functions", ROOT / "console", ROOT / "layers" / "kernel")


def test_what_is_not_python_goes_with_the_functions_that_read_it() -> None:
    """`sam build` copies what CodeUri names, but for what it always leaves out."""
    files = [path.name for place in PLACES for path in place.rglob("*.*") if path.suffix not in {".py", ".pyc"}]
    template = real().template

    left_out = ignore_patterns(*PythonPipWorkflow.EXCLUDED_FILES)(str(PLACES[0]), [*files, "__pycache__", ".git"])
    places = {template["Globals"]["Function"]["CodeUri"]} | {
        resource["Properties"]["CodeUri"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function" and "CodeUri" in resource["Properties"]
    }

    assert {"track.lua", "crawlers.txt", "index.html", "preact.js"} <= set(files)
    assert "layers/kernel/" in {
        resource["Properties"]["ContentUri"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Serverless::LayerVersion"
    }
    assert left_out & set(files) == set()
    assert places == {"functions/", *(f"{folder}/" for folder in SITES.values())}
