"""What is not Python is in the functions' package too."""

from shutil import ignore_patterns

from aws_lambda_builders.workflows.python_pip.workflow import PythonPipWorkflow

from tests.template.project import real
from tests.template_reader import ROOT

FUNCTIONS = ROOT / "functions"


def test_the_scripts_for_redis_go_with_the_functions_that_run_them() -> None:
    """`sam build` copies what CodeUri names, but for what it always leaves out."""
    scripts = [path.name for path in FUNCTIONS.rglob("*.lua")]
    template = real().template

    left_out = ignore_patterns(*PythonPipWorkflow.EXCLUDED_FILES)(str(FUNCTIONS), [*scripts, "__pycache__", ".git"])
    places = {template["Globals"]["Function"]["CodeUri"]} | {
        resource["Properties"]["CodeUri"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function" and "CodeUri" in resource["Properties"]
    }

    assert "track.lua" in scripts
    assert left_out & set(scripts) == set()
    assert places == {"functions/"}
