"""Quay: its token endpoint answers 400 to the action `delete`; its DELETE requires `pull,push`.

Source: quay/quay endpoints/v2/v2auth.py and endpoints/v2/manifest.py. That 400 reveals a Quay under another host name.
"""

from bulkrm.families.family import Family
from bulkrm.protocol.traits import Traits

FAMILY = Family("Quay", Traits(actions=None), hosts=("quay.io",))
