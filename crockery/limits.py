"""Every size, count and time limit: name, unit, default, reason.

Sizes are octets, times are seconds unless the name says otherwise. Code takes a limit from here by name at the place
where it is used, or as a constructor argument with the limit as default where tests need a smaller one.
"""

from typing import Final

KiB: Final = 1024
MiB: Final = 1024 * KiB
