"""Whether an entry chooses an image that it names, by labels, annotations or platform; and the reason where it keeps one."""

from bulkrm.model.extensions.plugin_call import PluginError
from bulkrm.model.manifests.details import Details
from bulkrm.model.result.outcome import Kept, KeptReason
from bulkrm.selection.conditional import ConditionalEntry
from bulkrm.selection.selector import OF_CONFIG, ChooseImages, KeepVerdict


def choice_of(entry: ConditionalEntry, details: Details) -> bool | Kept:
    """Tell whether an entry chooses an image that it names; why the image is kept, where that cannot be told."""
    undecided: Kept | None = None
    for condition in entry.chooses_images:
        if _is_unread(condition, details):
            undecided = undecided or kept_by(entry, condition.text, KeepVerdict(KeptReason.UNREADABLE, details.unread))
            continue
        try:
            if not condition.chooses(details):
                return False
        except PluginError as error:
            undecided = unjudged(entry, condition.text, error)
    return undecided or True


def is_chosen(entry: ConditionalEntry, details: Details) -> bool:
    """Tell whether an entry chooses an image that it names; True where that cannot be told: the image is then kept."""
    return choice_of(entry, details) is not False


def kept_by(entry: ConditionalEntry, text: str, verdict: KeepVerdict) -> Kept:
    """Return a verdict of a condition of an entry as the reason of an outcome. `text`: the condition."""
    why = (verdict.why,) if verdict.why is not None else ()
    return Kept(verdict.reason, (f"{entry.source}: {text}", *why))


def unjudged(entry: ConditionalEntry, text: str, error: PluginError) -> Kept:
    """Return why an image is kept that a plugin failed to judge."""
    return Kept(KeptReason.UNREADABLE, (f"{entry.source}: {text}", str(error)), error.remedy)


def _is_unread(condition: ChooseImages, details: Details) -> bool:
    return details.unread is not None and bool(condition.needs & OF_CONFIG)
