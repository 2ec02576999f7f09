"""The languages in which answers are understood, and those whose mail programs' quotations are."""

from typing import Final

from crockery.assistant.languages.english import ENGLISH
from crockery.assistant.languages.quotations import DUTCH, FRENCH, GERMAN, ITALIAN, SPANISH

LANGUAGES: Final = (ENGLISH, GERMAN, FRENCH, SPANISH, ITALIAN, DUTCH)
