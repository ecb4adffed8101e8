"""flowsim: how clinical messages travel while a region rolls out a shared record that some GPs do not adopt.

Nothing is imported here, so that ``import flowsim`` costs nothing; start at ``flowsim.cli`` or
``flowsim.simulation``.
"""

from typing import Final

__version__: Final = "0.1.0"
