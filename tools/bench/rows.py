"""All rows, in the order in which a round measures them.

A new row is a function `Round -> float` and a line in the table of its file.
"""

from tools.bench import rows_mailbox, rows_resources, rows_sending, rows_traffic

ROWS = (*rows_traffic.ROWS, *rows_sending.ROWS, *rows_mailbox.ROWS, *rows_resources.ROWS)
