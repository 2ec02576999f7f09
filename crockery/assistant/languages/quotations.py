"""Languages of mail programs: how they lead quotations in. What people write in them is not understood (yet)."""

from typing import Final

from crockery.assistant.language import Language


def _quoting(
    wrote: tuple[str, ...], sender: set[str], date: set[str], separators: set[str], footers: tuple[str, ...]
) -> Language:
    return Language(
        {}, frozenset(), frozenset(), (), wrote, (frozenset(sender), frozenset(date)), frozenset(separators), footers
    )


GERMAN: Final = _quoting(
    (r"am\b.{1,200}\bschrieb\b.{0,200}:", r".{1,200}\bschrieb am\b.{1,100}:"), {"von"}, {"gesendet", "datum"},
    {"ursprüngliche nachricht", "originalnachricht", "original-nachricht", "weitergeleitete nachricht"},
    ("von meinem", "gesendet von", "gesendet mit", "diese nachricht wurde von"),
)  # fmt: skip
FRENCH: Final = _quoting(
    (r"le\b.{1,200}\ba écrit\s?:",), {"de"}, {"envoyé", "date"}, {"message d'origine", "message original"},
    ("envoyé de mon", "envoyé depuis"),
)  # fmt: skip
SPANISH: Final = _quoting(
    (r"el\b.{1,200}\bescribió:",), {"de"}, {"enviado", "enviado el", "fecha"}, {"mensaje original"},
    ("enviado desde mi", "enviado desde"),
)  # fmt: skip
ITALIAN: Final = _quoting(
    (r"il\b.{1,200}\bha scritto:",), {"da"}, {"inviato", "data"}, {"messaggio originale"},
    ("inviato da",),
)  # fmt: skip
DUTCH: Final = _quoting(
    (r"op\b.{1,200}\bschreef\b.{0,200}:",), {"van"}, {"verzonden", "datum"}, {"oorspronkelijk bericht"},
    ("verzonden vanaf mijn", "verstuurd vanaf mijn"),
)  # fmt: skip
