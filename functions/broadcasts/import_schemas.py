"""Bodies of the imports' routes, in the source's spelling (S5-9)."""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictInt, StrictStr
from pydantic.alias_generators import to_camel

from broadcasts.csv_file import PHONE, Options
from broadcasts.importing import Import, ListImportStatus, Standing
from broadcasts.texts import is_variable
from broadcasts.uploads import Form
from sluice import http

_SHAPE = ConfigDict(alias_generator=to_camel, validate_by_name=True, validate_by_alias=True)
_MOST_VARIABLES = 50


def _variable(name: str) -> str:
    if not is_variable(name):
        raise ValueError("must be a small letter, then at most 31 small letters, digits and _")
    return name


Column = Annotated[StrictStr, Field(min_length=1, max_length=100)] | Annotated[StrictInt, Field(ge=1, le=1000)]
"""A column's name in the header, or its number from 1."""
VariableName = Annotated[str, AfterValidator(_variable)]


class NewListImport(BaseModel):
    """How the file will be read. A column is named by its title in the header, or by its number from 1."""

    model_config = ConfigDict(**_SHAPE, extra="forbid")

    has_header: bool = Field(True, description="Whether the first row has the columns' names.")
    phone_column: Column = Field(PHONE, description="Without a header, the first column unless a number is given.")
    variable_columns: list[VariableName] | dict[VariableName, Column] | None = Field(
        None,
        max_length=_MOST_VARIABLES,
        description="The columns of variables: their names, or an object of variable and column. By default all "
        "columns whose name can be a variable's.",
    )
    timezone_column: Column | None = Field(
        None, description="A column of zones such as America/Sao_Paulo; by default `timezone`, if there is one."
    )

    def options(self) -> Options:
        columns = self.variable_columns
        chosen = {name: name for name in columns} if isinstance(columns, list) else columns
        return Options(self.has_header, self.phone_column, chosen, self.timezone_column)


class FormResource(BaseModel):
    """A form to upload the file with: POST it to `url` as multipart/form-data, the file as the last field, `file`."""

    model_config = _SHAPE

    url: str
    fields: dict[str, str]
    expires_at: http.Moment


class NewListImportForm(BaseModel):
    """A new import: upload its file within 15 minutes, and then start it, within 24 hours."""

    model_config = _SHAPE

    id: str
    status: ListImportStatus
    upload: FormResource

    @classmethod
    def of(cls, made: Import, form: Form) -> Self:
        return cls(id=made.id, status=made.status, upload=FormResource(**{**vars(form), "fields": dict(form.fields)}))


class RejectedRow(BaseModel):
    """Why a row was rejected."""

    line: int
    field: str
    code: str
    message: str


class WarningResource(BaseModel):
    """What is doubtful about a row that was accepted."""

    line: int
    code: str
    message: str


class RenderedResource(BaseModel):
    """The text of a row."""

    line: int
    text: str


class ListImportResource(BaseModel):
    """An import. After its check, rows = accepted + rejected + duplicates."""

    model_config = _SHAPE

    id: str
    campaign_id: str
    status: ListImportStatus
    created_at: http.Moment
    started_at: http.Moment | None = None
    checked_at: http.Moment | None = None
    rows: int
    accepted: int
    rejected: int
    duplicates: int
    warnings: int
    code: str | None = Field(None, description="Why it failed.")
    reason: str | None = Field(None, description="Why it failed, for people.")
    first_errors: list[RejectedRow] = Field([], description="The first 100.")
    first_warnings: list[WarningResource] = Field([], description="The first 100.")
    rendered: list[RenderedResource] = Field([], description="The texts of the first 50 rows that were accepted.")
    errors_url: str | None = Field(
        None, description="All rows that were not accepted as a CSV file, for 15 minutes; a report is kept for 7 days."
    )

    @classmethod
    def of(cls, standing: Standing) -> Self:
        found, report = standing.importing, standing.report or {}
        names = ("id", "campaign_id", "created_at", "started_at", "checked_at", "code", "reason")
        values: dict[str, Any] = {name: getattr(found, name) for name in names} | vars(found.tally)
        values |= {"first_errors": report.get("errors", []), "first_warnings": report.get("warnings", [])}
        values |= {"rendered": report.get("rendered", []), "errors_url": standing.errors_url}
        return cls(status=standing.status, **values)

    @classmethod
    def started(cls, found: Import) -> Self:
        """The answer of a start."""
        return cls.of(Standing(found, found.status))
