"""Quay: its token endpoint knows no `delete` and answers 400 to it; its DELETE wants `pull,push`.

Source: quay/quay endpoints/v2/v2auth.py and endpoints/v2/manifest.py. A Quay under another name is found out by that 400.
"""

from bulkrm.protocol.manners import Manners
from bulkrm.quirks.quirk import Quirk

QUIRK = Quirk("Quay", Manners(actions=None), hosts=("quay.io",))
