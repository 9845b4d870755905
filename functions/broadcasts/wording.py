"""What a recipient gets: the campaign's text with the recipient's variables, or a template's parameters. Pure."""

from collections.abc import Mapping

from broadcasts import texts
from broadcasts.campaign import Broadcast, Text
from broadcasts.ports import Media, MediaType, Message, TemplateCall
from broadcasts.row import Failure, Row
from broadcasts.texts import TextProblem


def rendered(text: Text, variables: Mapping[str, str]) -> str | Failure:
    """The text for a recipient, or why there is none: `variable_missing`, `text_too_long`."""
    found = texts.render(text.message, variables)
    if isinstance(found, TextProblem):
        return Failure(found.code, found.message)
    return lacking(text, variables) or found


def lacking(text: Text, variables: Mapping[str, str]) -> Failure | None:
    """Why the provider's template cannot be filled: a recipient has no value, or a blank one, for a variable of it."""
    if text.template is None:
        return None
    named = dict.fromkeys((*text.template.header, *text.template.parameters))
    without = [each for each in named if not variables.get(each, "").strip()]
    return Failure("variable_missing", f"The recipient has no {', '.join(without)}") if without else None


def message_of(campaign: Broadcast, text: Text, row: Row, link: str | None = None) -> Message:
    """The message of a row that was claimed. `link`: where the campaign's uploaded file is read, if it has one.

    Raises ValueError for a row that the gate does not let through.
    """
    words = rendered(text, row.variables)
    if isinstance(words, Failure):
        raise ValueError(f"Row {row.key}: {words.text}")
    url = campaign.media_url or link
    media = Media(url, MediaType(campaign.media_type)) if url and campaign.media_type else None
    return Message(row.phone, words, media, template_call(text, row.variables), row.callback)


def template_call(text: Text, variables: Mapping[str, str]) -> TemplateCall | None:
    """The provider's template with the values of its variables; None for a campaign of free text."""
    if text.template is None:
        return None
    header, parameters = (
        tuple(variables[each] for each in some) for some in (text.template.header, text.template.parameters)
    )
    return TemplateCall(text.template.name, text.template.language, header, parameters)
