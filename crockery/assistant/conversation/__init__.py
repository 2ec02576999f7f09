"""The conversation about held mail, joined to the log: what is asked when, and what an answer does.

stories      queued messages and their problems as the letters want them
asking       the task that asks and reminds
answering    an answer, done at once: what it does, and the confirmation, are one atom with the word of it
"""

from crockery.assistant.conversation.answering import Answering
from crockery.assistant.conversation.asking import Asking
from crockery.assistant.conversation.stories import why_given_up

__all__ = ["Answering", "Asking", "why_given_up"]
