"""English, in which Crockery asks."""

from itertools import product
from typing import Final

from crockery.assistant.language import Language
from crockery.assistant.verbs import Verb

_THIS: Final = ("it", "this", "that", "them", "this one", "this message", "this mail", "this email", "this e-mail",
                "the message", "the mail", "the email", "the e-mail", "my message", "my mail", "my email", "my e-mail",
                "just this", "just this one", "just this message", "just this once")  # fmt: skip
_WITHOUT: Final = ("anyway", "anyways", "regardless", "unencrypted", "insecurely", "without encryption", "as it is",
                   "as is", "this once", "this time")  # fmt: skip
_SEND: Final = ("send", "go ahead and send", "i want to send", "i want you to send")
_AGAIN: Final = ("again", "once more", "one more time")


def _with_objects(verbs: tuple[str, ...], *endings: tuple[str, ...]) -> list[str]:
    """ "send", "send it", "send anyway", "send it anyway" ..."""
    choices = [("", *_THIS), *(("", *ending) for ending in endings)]
    return [" ".join(filter(None, (verb, *rest))) for verb in verbs for rest in product(*choices)]


_PHRASES: Final[dict[str, Verb]] = {
    **dict.fromkeys(_with_objects(_SEND, _WITHOUT), Verb.SEND),
    **dict.fromkeys(_with_objects(("cancel", "i want to cancel", "do cancel")), Verb.CANCEL),
    **dict.fromkeys(("cancel sending", "cancel sending it", "cancel delivery", "cancel the delivery"), Verb.CANCEL),
    **dict.fromkeys(("retry", "retry it", "retry this", "retry sending", "keep trying", "keep on trying"), Verb.RETRY),
    **dict.fromkeys((f"try {what}" for what in _AGAIN), Verb.RETRY),
    **dict.fromkeys((f"try it {what}" for what in _AGAIN), Verb.RETRY),
    **dict.fromkeys((f"{i}trust DOMAIN" for i in ("", "i ", "always ", "i do ", "you can ", "we ")), Verb.TRUST),
    **dict.fromkeys(("undo", "undo it", "undo this", "undo that", "i want to undo this"), Verb.UNDO),
}  # fmt: skip

ENGLISH: Final = Language(
    phrases=_PHRASES,
    courtesy=frozenset({
        "please", "pls", "plz", "thanks", "thank you", "thank you very much", "thanks a lot", "many thanks", "thx",
        "cheers", "yes", "yes please", "yeah", "yep", "yup", "sure", "of course", "ok", "okay", "alright", "all right",
        "right", "fine", "just", "simply", "now", "right now", "right away", "immediately", "then", "kindly",
        "could you", "would you", "can you", "will you", "could you please", "you can", "you may", "go ahead",
        "hi", "hello", "hey", "dear", "good morning", "good afternoon", "good evening", "crockery", "dear crockery",
        "best", "best regards", "kind regards", "regards", "sorry", "i'd like you to", "i would like you to", "let's",
        "thank you so much", "thanks so much", "thanks for your help", "thank you for your help", "greetings",
        "best wishes", "yours sincerely", "sincerely", "yours", "have a nice day", "have a good day",
    }),
    doubts=frozenset({
        "not", "don't", "dont", "doesn't", "didn't", "won't", "can't", "cannot", "never", "no", "nope", "wait",
        "stop", "but", "only", "unless", "until", "except", "instead", "actually", "if", "before", "after", "otherwise",
        "however", "hold", "rather", "when", "once", "later", "tomorrow", "maybe", "perhaps",
        "next", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
    }),
    denials=(
        r"\b(?:don't|dont|not|never) (?:(?:just|really) )?(?:yet|now|do|send|cancel|retry|trust|undo)\b",
        r"^(?:\S+ ){0,5}(?:don't|dont|not)$", r"^(?:\S+ ){0,2}wait\b",
        r"^(?:\S+ ){0,2}(?:cancel|stop|hold|forget|ignore|scratch|disregard|nevermind|oops|wrong)\b(?: \S+){0,5}$",
        r"^(?:\S+ ){0,2}no(?:pe)?(?: (?:cancel|stop|please|sorry|thanks|not)\b|$)",
        r"\bsecond thoughts?\b", r"\bchanged my mind\b",
    ),
    small_print=(
        r"\bintended recipients?\b", r"\bif you are not\b", r"\bprint(?:ing)? this (?:e-?mail|mail|message)\b",
        r"\bliab(?:le|ility)\b", r"\bregistered (?:office|in)\b", r"\bcompany (?:registration|number)\b",
    ),
    wrote=(r"on\b.{1,200}\bwrote:", r".{1,200}<[^<>\s]+@[^<>\s]+> wrote:", r".{1,200}\bwrote on\b.{1,100}:"),
    headers=(frozenset({"from"}), frozenset({"sent", "date"})),
    separators=frozenset({"original message", "forwarded message", "reply message", "original appointment"}),
    footers=("sent from my", "sent from mail for", "sent from outlook", "get outlook for", "sent from yahoo",
             "sent with proton", "sent from proton", "sent via", "sent using"),
)  # fmt: skip
