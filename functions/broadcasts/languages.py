"""The texts of errors in the source's Portuguese, by their codes (S5-42); each error says its English one itself. Pure.

The language is chosen when an answer is written, so an answer that is stored keeps its first language; codes never
change.
"""

import re
from collections.abc import Mapping
from typing import Literal

type Language = Literal["en", "pt"]

PORTUGUESE: Mapping[str, str] = {
    # The source's own words.
    "instance_not_found": "Instância não encontrada",
    "template_not_found": "Template não encontrado",
    "not_editable": "Apenas campanhas em rascunho ou agendadas podem ser editadas",
    "not_startable": "Campanha não pode ser iniciada",
    # In words like its own.
    "not_pausable": "Campanha não pode ser pausada",
    "not_cancellable": "Campanha não pode ser cancelada",
    "not_deletable": "Campanha não pode ser excluída",
    "not_retryable": "Campanha não pode ser reenviada",
    "campaign_not_found": "Campanha não encontrada",
    "recipient_not_found": "Destinatário não encontrado",
    "no_recipients": "A campanha não tem destinatários: inclua-os por PUT ou por uma importação",
    "too_many_recipients": "Há destinatários demais: importe uma lista maior como arquivo",
    "nothing_to_retry": "Não há nada a reenviar: include_unknown e include_final acrescentam destinatários",
    "plan_changed": "O plano mudou desde a simulação: simule novamente",
    "still_importing": "Os destinatários ainda estão sendo gravados: tente novamente em instantes",
    "too_many_to_sort": "Há mais de 1000 campanhas para ordenar ou pesquisar: leia-as página a página com cursor",
    # Lists that come as a file.
    "import_not_found": "Importação não encontrada",
    "import_started": "A importação já foi iniciada",
    "import_expired": "A importação não foi iniciada em 24 horas: comece outra",
    "file_missing": "Nenhum arquivo foi enviado ainda: envie-o primeiro pelo formulário",
    "file_changed": "O arquivo foi enviado de novo depois do início, ou foi excluído: importe-o novamente",
    "file_empty": "O arquivo não tem linhas",
    "not_utf8": "O arquivo não é texto UTF-8: salve-o como UTF-8",
    "column_missing": "O arquivo não tem uma das colunas indicadas",
    "column_ambiguous": "O cabeçalho tem uma das colunas mais de uma vez",
    "too_many_columns": "O cabeçalho tem colunas demais: indique as que o texto usa",
    "too_many_rows": "O arquivo tem linhas demais",
    "nothing_accepted": "Nenhuma linha do arquivo foi aceita",
    "text_edited": "O texto foi editado durante a verificação: importe novamente",
    # What campaigns need.
    "instance_in_use": "Há uma campanha nesta instância que não terminou",
    "template_in_use": "Há uma campanha com este template que não terminou",
    "number_taken": "Outra instância já usa este número",
    "too_many_instances": "Há 1000 instâncias: exclua uma antes",
    "provider_fixed": "Uma instância não muda de provedor: crie outra instância",
    "currency_fixed": "Uma instância não muda de moeda: crie outra instância",
    "host_not_allowed": "baseUrl deve ser uma URL https de um host público, pelo nome",
    "no_provider_template": "O provedor não tem este template",
    "provider_refused": "O provedor recusou, ou não respondeu",
    "suppression_not_found": "Este telefone não está bloqueado",
    "media_too_large": "O arquivo é grande demais para o seu tipo",
}
"""The codes that broadcasts raise. The kernel's own, such as `invalid`, stay English: they have many messages."""

_RANGE = re.compile(r"\s*([A-Za-z*][A-Za-z0-9-]*)\s*(?:;\s*[qQ]\s*=\s*([01](?:\.\d{0,3})?)\s*)?", re.ASCII)


def translated(code: str, language: Language, english: str) -> str:
    """The text of a code in a language; the English one that the error says where the table has no other."""
    return PORTUGUESE.get(code, english) if language == "pt" else english


def preferred(accept_language: str | None) -> Language:
    """The language of an answer by the header Accept-Language: Portuguese if it is preferred to English, else English.

    The first of the highest quality counts; a language that the table does not have is passed over (RFC 9110, 12.5.4).
    """
    best: tuple[float, Language] = (0.0, "en")
    for part in (accept_language or "").split(","):
        found = _RANGE.fullmatch(part)
        if not found:
            continue
        language = _known(found[1].lower())
        quality = float(found[2] or 1)
        if language and quality > best[0]:
            best = (quality, language)
    return best[1]


def _known(name: str) -> Language | None:
    match name.partition("-")[0]:
        case "pt":
            return "pt"
        case "en" | "*":
            return "en"
    return None
