"""What is not Python is in the functions' package too."""

from shutil import ignore_patterns

from aws_lambda_builders.workflows.python_pip.workflow import PythonPipWorkflow

from tests.template.project import real
from tests.template_reader import ROOT

FUNCTIONS = ROOT / "functions"


def test_what_is_not_python_goes_with_the_functions_that_read_it() -> None:
    """`sam build` copies what CodeUri names, but for what it always leaves out."""
    files = [path.name for path in FUNCTIONS.rglob("*.*") if path.suffix not in {".py", ".pyc"}]
    template = real().template

    left_out = ignore_patterns(*PythonPipWorkflow.EXCLUDED_FILES)(str(FUNCTIONS), [*files, "__pycache__", ".git"])
    places = {template["Globals"]["Function"]["CodeUri"]} | {
        resource["Properties"]["CodeUri"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function" and "CodeUri" in resource["Properties"]
    }

    assert {"track.lua", "crawlers.txt"} <= set(files)
    assert left_out & set(files) == set()
    assert places == {"functions/"}
