"""Delete container images in bulk from any OCI / Docker v2 registry.

This is the front door: `Client` plans, deletes, applies, resumes and undoes; everything else here is a value that it takes
or gives, or an error that it raises. What is not in `__all__` may change with any release. Names are loaded when they are
first asked for, so that `import bulkrm` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bulkrm.api.client import Client
    from bulkrm.api.errors import InternalError, PlanIncomplete
    from bulkrm.api.login_check import LoginCheck
    from bulkrm.api.plans import DeletionPlan, MadePlan
    from bulkrm.api.resumable import ResumableRun, resumable_run
    from bulkrm.api.undoable import UndoableRun, undoable_run
    from bulkrm.model.digest import Digest
    from bulkrm.model.errors import BulkrmError, InputError, Problem
    from bulkrm.model.events import (
        Advanced,
        Event,
        EventListener,
        ImageSettled,
        Paused,
        PauseReason,
        Phase,
        PhaseBegan,
        PlanMade,
        RequestAnswered,
        RunBegan,
        RunEnded,
        Warned,
        WarningKind,
    )
    from bulkrm.model.plan import Plan
    from bulkrm.model.reference import DigestRef, Reference, Repository, TagRef, parse_reference
    from bulkrm.model.result.failure import Failure, FailureCode
    from bulkrm.model.result.outcome import (
        Deleted,
        Failed,
        Gone,
        Kept,
        KeptReason,
        NoMatch,
        NotAttempted,
        NotAttemptedReason,
        Outcome,
        Restored,
        Signal,
        Status,
        Unchanged,
        Untagged,
        WouldDelete,
        WouldRestore,
        WouldUntag,
    )
    from bulkrm.model.result.report import ImageResult, Report
    from bulkrm.model.secret import Secret
    from bulkrm.model.settings import (
        Connection,
        Credential,
        IdentityToken,
        Limit,
        Login,
        Pacing,
        Policy,
        Rate,
        RegistryToken,
        Settings,
        Shared,
        Strategy,
    )
    from bulkrm.remote.credentials.source import Surroundings
    from bulkrm.selection.image_list import ImageList, parse_images, parse_list

__version__ = "0.1.0"

__all__ = [
    "Advanced",
    "BulkrmError",
    "Client",
    "Connection",
    "Credential",
    "Deleted",
    "DeletionPlan",
    "Digest",
    "DigestRef",
    "Event",
    "EventListener",
    "Failed",
    "Failure",
    "FailureCode",
    "Gone",
    "IdentityToken",
    "ImageList",
    "ImageResult",
    "ImageSettled",
    "InputError",
    "InternalError",
    "Kept",
    "KeptReason",
    "Limit",
    "Login",
    "LoginCheck",
    "MadePlan",
    "NoMatch",
    "NotAttempted",
    "NotAttemptedReason",
    "Outcome",
    "Pacing",
    "PauseReason",
    "Paused",
    "Phase",
    "PhaseBegan",
    "Plan",
    "PlanIncomplete",
    "PlanMade",
    "Policy",
    "Problem",
    "Rate",
    "Reference",
    "RegistryToken",
    "Report",
    "Repository",
    "RequestAnswered",
    "Restored",
    "ResumableRun",
    "RunBegan",
    "RunEnded",
    "Secret",
    "Settings",
    "Shared",
    "Signal",
    "Status",
    "Strategy",
    "Surroundings",
    "TagRef",
    "Unchanged",
    "UndoableRun",
    "Untagged",
    "Warned",
    "WarningKind",
    "WouldDelete",
    "WouldRestore",
    "WouldUntag",
    "parse_images",
    "parse_list",
    "parse_reference",
    "resumable_run",
    "undoable_run",
]

# Where each name comes from; a test holds it to the imports above.
_MODULES = {
    "bulkrm.api.client": ("Client",),
    "bulkrm.api.errors": (
        "InternalError",
        "PlanIncomplete",
    ),
    "bulkrm.api.login_check": ("LoginCheck",),
    "bulkrm.api.plans": (
        "DeletionPlan",
        "MadePlan",
    ),
    "bulkrm.api.resumable": (
        "ResumableRun",
        "resumable_run",
    ),
    "bulkrm.api.undoable": (
        "UndoableRun",
        "undoable_run",
    ),
    "bulkrm.model.digest": ("Digest",),
    "bulkrm.model.errors": (
        "BulkrmError",
        "InputError",
        "Problem",
    ),
    "bulkrm.model.events": (
        "Advanced",
        "Event",
        "EventListener",
        "ImageSettled",
        "Paused",
        "PauseReason",
        "Phase",
        "PhaseBegan",
        "PlanMade",
        "RequestAnswered",
        "RunBegan",
        "RunEnded",
        "Warned",
        "WarningKind",
    ),
    "bulkrm.model.plan": ("Plan",),
    "bulkrm.model.reference": (
        "DigestRef",
        "Reference",
        "Repository",
        "TagRef",
        "parse_reference",
    ),
    "bulkrm.model.result.failure": (
        "Failure",
        "FailureCode",
    ),
    "bulkrm.model.result.outcome": (
        "Deleted",
        "Failed",
        "Gone",
        "Kept",
        "KeptReason",
        "NoMatch",
        "NotAttempted",
        "NotAttemptedReason",
        "Outcome",
        "Restored",
        "Signal",
        "Status",
        "Unchanged",
        "Untagged",
        "WouldDelete",
        "WouldRestore",
        "WouldUntag",
    ),
    "bulkrm.model.result.report": (
        "ImageResult",
        "Report",
    ),
    "bulkrm.model.secret": ("Secret",),
    "bulkrm.model.settings": (
        "Connection",
        "Credential",
        "IdentityToken",
        "Limit",
        "Login",
        "Pacing",
        "Policy",
        "Rate",
        "RegistryToken",
        "Settings",
        "Shared",
        "Strategy",
    ),
    "bulkrm.remote.credentials.source": ("Surroundings",),
    "bulkrm.selection.image_list": (
        "ImageList",
        "parse_images",
        "parse_list",
    ),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    """Load what is asked for. Raises AttributeError."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return all names, loaded or not."""
    return sorted({*globals(), *__all__})
