"""What can go wrong, by who has to act.

Defects of the *data* are never exceptions: they become findings and the other communes load (law 3).
An exception means that the call is wrong or the infrastructure is broken.
"""

from __future__ import annotations


class TiendoError(Exception):
    """Base of every error that the command line shows without a traceback; the text is Vietnamese."""


class UsageError(TiendoError):
    """The call cannot be carried out as written (exit code 2): unknown period, missing file, wrong option."""


class CatalogueError(TiendoError):
    """The rule files are not what the code can judge by (exit code 2); the text tells every fault of all files. Nothing
    is judged meanwhile: a rule that is left out in silence would let through what it is there for."""


class DictionaryError(TiendoError):
    """The files of the data dictionary cannot be read, or the rows of the warehouse break what they declare."""


class InfrastructureError(TiendoError):
    """A server, disk or network is not as needed; trying again later may help. Schedulers retry on it."""


class DataError(TiendoError):
    """The data are readable and not acceptable; nothing of them was taken."""


class ReleaseError(TiendoError):
    """A release may not go out: files changed after the approval, no approval, figures that do not add up."""


class InboxDownError(TiendoError):
    """An inbox could not be reached, or broke off while it was read. It delays only itself: the others go on, and
    what it holds is fetched the next time."""


class DeliveryError(TiendoError):
    """Somebody was not told: no address, refused by the mail server, or not known. Trying again would not help; a
    person has to look."""
