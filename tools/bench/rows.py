"""All rows, in the order in which a round measures them.

A new row is a function `Round -> float` and a line in the table of its file.
"""

from tools.bench import (
    rows_crowd,
    rows_mailbox,
    rows_order,
    rows_queue,
    rows_reconnect,
    rows_resources,
    rows_sending,
    rows_traffic,
)

ROWS = (
    *rows_traffic.ROWS,
    *rows_sending.ROWS,
    *rows_mailbox.READING,
    *rows_order.ROWS,
    *rows_reconnect.ROWS,
    *rows_mailbox.CHANGING,
    *rows_resources.ROWS,
    *rows_queue.ROWS,
    *rows_crowd.ROWS,
)

LARGE = (
    *rows_mailbox.READING,
    *rows_order.ROWS,
    *rows_reconnect.ROWS,
    *rows_reconnect.ROWS_OF_A_LARGE_MAILBOX,
    *rows_mailbox.CHANGING,
)
"""The rows that depend on how large the mailbox is."""
