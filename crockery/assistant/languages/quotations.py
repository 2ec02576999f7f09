"""Languages of mail programs: how they lead quotations in, and how people thank, sign, and take back in them.

Answers are not understood in them (yet). But who writes the word that Crockery asked for may go on in their own.
"""

from typing import Final

from crockery.assistant.language import Language

GERMAN: Final = Language(
    phrases={},
    courtesy=frozenset({
        "bitte", "danke", "vielen dank", "danke schön", "besten dank", "mit freundlichen grüßen", "freundliche grüße",
        "viele grüße", "liebe grüße", "beste grüße", "schöne grüße", "grüße", "gruß", "mfg", "lg", "hallo",
        "guten tag",
    }),
    doubts=frozenset({
        "nicht", "nein", "nee", "nie", "kein", "keine", "keinen", "aber", "doch", "nur", "erst", "außer", "sondern",
        "stattdessen", "später", "morgen", "vielleicht", "eigentlich",
    }),
    denials=(
        r"^(?:\S+ ){0,2}(?:nein|nee|nö|halt|stopp?|abbrechen|abbruch|warte|warten|moment|vergiss|vergessen|ups|hoppla|"
        r"stornieren|storno|falsch|lass)\b(?: \S+){0,5}$",
        r"^(?:\S+ ){0,5}nicht$", r"\b(?:bitte|doch|lieber|besser) (?:noch )?nicht\b(?! (?:aus)?drucken)",
        r"\bnicht (?:mehr |jetzt )?(?:\S{0,3}send\S+|\S{0,3}schick\S+|vertrauen|abbrechen|jetzt|machen)\b",
        r"\banders überlegt\b", r"\bmeinung geändert\b",
    ),
    small_print=(
        r"\bnicht der (?:richtige|beabsichtigte|vorgesehene)\b", r"\birrtümlich erhalten\b", r"\bgeschäftsführ",
        r"\b(?:amtsgericht|registergericht|handelsregister)\b", r"\bust-id",
    ),
    wrote=(r"am\b.{1,200}\bschrieb\b.{0,200}:", r".{1,200}\bschrieb am\b.{1,100}:"),
    headers=(frozenset({"von"}), frozenset({"gesendet", "datum"})),
    separators=frozenset({
        "ursprüngliche nachricht", "originalnachricht", "original-nachricht", "weitergeleitete nachricht",
    }),
    footers=("von meinem", "gesendet von", "gesendet mit", "diese nachricht wurde von"),
)  # fmt: skip
FRENCH: Final = Language(
    phrases={},
    courtesy=frozenset({
        "merci", "merci beaucoup", "cordialement", "bien cordialement", "bonjour", "s'il vous plaît", "s'il te plaît",
        "bonne journée", "salutations", "meilleures salutations",
    }),
    doubts=frozenset({"ne", "pas", "non", "jamais", "mais", "seulement", "sauf", "plutôt", "finalement", "demain"}),
    denials=(
        r"^(?:\S+ ){0,2}(?:non|annule[rz]?|stop|attends|attendez|arrête[rz]?|oublie[rz]?|oups|erreur)\b(?: \S+){0,5}$",
        r"^(?:\S+ ){0,5}pas$", r"\b(?:n'|ne l'|ne (?:le |la |pas )*)(?:envo[iy]|fai)\S*",
        r"\bpas (?:encore|maintenant|envoyer)\b", r"\bchangé d'avis\b",
    ),
    small_print=(r"\bpas (?:le|la|un|une) destinataire\b", r"\bn'imprimez\b", r"\bdestinataires? prévus?\b"),
    wrote=(r"le\b.{1,200}\ba écrit\s?:",),
    headers=(frozenset({"de"}), frozenset({"envoyé", "date"})),
    separators=frozenset({"message d'origine", "message original"}),
    footers=("envoyé de mon", "envoyé depuis"),
)  # fmt: skip
SPANISH: Final = Language(
    phrases={},
    courtesy=frozenset({
        "gracias", "muchas gracias", "por favor", "saludos", "un saludo", "saludos cordiales", "hola", "buenos días",
        "atentamente",
    }),
    doubts=frozenset({"no", "nunca", "pero", "sólo", "solo", "excepto", "salvo", "mejor", "mañana", "todavía"}),
    denials=(
        r"^(?:\S+ ){0,2}(?:cancel[ae]\S*|esper[ae]\S*|alto|olvíd\S*|olvid\S*|detén\S*|anul[ae]\S*)\b(?: \S+){0,5}$",
        r"^(?:\S+ ){0,5}no$", r"\bno (?:lo |la |se |me )*(?:env[ií]\S+|mand\S+|hag\S+)",
        r"\b(?:mejor|todavía|aún|ahora) no\b", r"\bcambiado de (?:idea|opinión)\b",
    ),
    small_print=(r"\bno es (?:el|la|usted el|usted la) destinatari[oa]\b", r"\bantes de imprimir\b"),
    wrote=(r"el\b.{1,200}\bescribió:",),
    headers=(frozenset({"de"}), frozenset({"enviado", "enviado el", "fecha"})),
    separators=frozenset({"mensaje original"}),
    footers=("enviado desde mi", "enviado desde"),
)  # fmt: skip
ITALIAN: Final = Language(
    phrases={},
    courtesy=frozenset({
        "grazie", "grazie mille", "per favore", "per piacere", "saluti", "cordiali saluti", "distinti saluti", "ciao",
        "buongiorno", "buona giornata",
    }),
    doubts=frozenset({"non", "no", "mai", "ma", "però", "soltanto", "tranne", "anzi", "piuttosto", "domani"}),
    denials=(
        r"^(?:\S+ ){0,2}(?:annull\S+|aspett\S+|ferm\S+|dimentic\S+|lascia|ops)\b(?: \S+){0,5}$",
        r"^(?:\S+ ){0,5}no$", r"\bnon (?:lo |la |me )*(?:invi\S+|mand\S+|spedi\S+|far\S*|ora|ancora|adesso)\b",
        r"\b(?:meglio|ancora|magari) (?:di )?no\b", r"\bcambiato idea\b",
    ),
    small_print=(r"\bnon (?:è|siete|foste) (?:il|i) destinatari", r"\bprima di stampare\b"),
    wrote=(r"il\b.{1,200}\bha scritto:",),
    headers=(frozenset({"da"}), frozenset({"inviato", "data"})),
    separators=frozenset({"messaggio originale"}),
    footers=("inviato da",),
)  # fmt: skip
DUTCH: Final = Language(
    phrases={},
    courtesy=frozenset({
        "dank je", "dank u", "bedankt", "dankjewel", "alvast bedankt", "alsjeblieft", "alstublieft", "groeten",
        "met vriendelijke groet", "met vriendelijke groeten", "vriendelijke groet", "groet", "mvg", "goedemorgen",
    }),
    doubts=frozenset({"niet", "nee", "nooit", "geen", "maar", "alleen", "behalve", "liever", "toch", "later"}),
    denials=(
        r"^(?:\S+ ){0,2}(?:nee|annuleer\S*|annuleren|wacht|wachten|stop|vergeet|oeps|fout)\b(?: \S+){0,5}$",
        r"^(?:\S+ ){0,5}niet$", r"\b(?:toch|liever|beter|nog|graag) (?:maar |nog )?niet\b",
        r"\bniet (?:meer |nu )?(?:versturen|verzenden|sturen|verstuur|verzend|stuur|nu|doen)\b", r"\bme bedacht\b",
    ),
    small_print=(r"\bniet de (?:bedoelde|beoogde|juiste) ", r"\bniet voor u bestemd\b"),
    wrote=(r"op\b.{1,200}\bschreef\b.{0,200}:",),
    headers=(frozenset({"van"}), frozenset({"verzonden", "datum"})),
    separators=frozenset({"oorspronkelijk bericht"}),
    footers=("verzonden vanaf mijn", "verstuurd vanaf mijn"),
)  # fmt: skip
