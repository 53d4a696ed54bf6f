"""The words for phases and pauses that are shown during a run."""

from bulkrm.model.events import Paused, PauseReason, Phase

_PHASES = {
    Phase.LISTING_TAGS: "Listing tags",
    Phase.RESOLVING_IMAGES: "Resolving images",
    Phase.READING_MANIFESTS: "Reading manifests for conditions",
    Phase.READING_CONFIGURATIONS: "Reading configurations",
    Phase.RESOLVING_ATTACHED: "Resolving children and referrers",
    Phase.READING_INDEXES: "Reading indexes",
    Phase.CHECKING_OTHER_TAGS: "Checking other tags",
    Phase.CHECKING_NEEDED: "Checking what kept indexes need",
    Phase.REMOVING_DANGLING_TAGS: "Removing tags that lead nowhere",
    Phase.REMOVING_TAGS: "Removing tags",
    Phase.DELETING_MANIFESTS: "Deleting manifests",
    Phase.VERIFYING_KEPT: "Verifying kept tags",
    Phase.LOOKING_FOR_MISSING: "Looking for what is missing",
    Phase.VERIFYING_DELETED: "Verifying what was deleted",
    Phase.PUTTING_BACK: "Putting back",
}


def phase_name(phase: Phase) -> str:
    """Return the name of a phase, as the display shows it."""
    return _PHASES[phase]


def pause_line(pause: Paused) -> str:
    """Return the line on a pause: the host that gets no requests, for how long, and why."""
    match pause.reason:
        case PauseReason.ASKED:
            return f"{pause.host} asks to wait {pause.seconds:.0f} s (429 or Retry-After); nothing is sent to it until then"
        case PauseReason.TROUBLE:
            return f"{pause.host} does not answer as it should; trying again in {pause.seconds:.0f} s"
        case PauseReason.UNREACHABLE:
            return f"cannot reach {pause.host}, retrying in {pause.seconds:.0f} s"
