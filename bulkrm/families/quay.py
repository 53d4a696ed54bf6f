"""Quay: its token endpoint knows no `delete` and answers 400 to it; its DELETE wants `pull,push`.

Source: quay/quay endpoints/v2/v2auth.py and endpoints/v2/manifest.py. A Quay under another name is found out by that 400.
"""

from bulkrm.families.family import Family
from bulkrm.protocol.traits import Traits

FAMILY = Family("Quay", Traits(actions=None), hosts=("quay.io",))
