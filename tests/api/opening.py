"""A client of a sandbox, as a program would open one, and what it hears."""

from collections.abc import Callable, Sequence
from pathlib import Path

from bulkrm import Client, Event, ImageList, ImageResult, ImageSettled, Login, Pacing, Secret, Settings, parse_list
from bulkrm.sandbox import Sandbox, oci_image, put_image

APP = "team/app"
ADMIN = Login("admin", Secret("admin"))
SLOWLY = Settings(Pacing(concurrency=1))


class Journal:
    """Keeps the events, and calls `act` after each one."""

    def __init__(self, act: Callable[[Event], None] | None = None) -> None:
        self.events: list[Event] = []
        self._act = act

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        if self._act is not None:
            self._act(event)

    @property
    def kinds(self) -> list[str]:
        """The class of each event, requests and steps left out."""
        names = [type(event).__name__ for event in self.events]
        return [name for name in names if name not in ("RequestAnswered", "Advanced")]

    @property
    def settled(self) -> list[ImageResult]:
        """The outcomes, as they came."""
        return [event.result for event in self.events if isinstance(event, ImageSettled)]


def fill(sandbox: Sandbox, *tags: str) -> None:
    """Put an image of its own under each tag."""
    for number, tag in enumerate(tags):
        put_image(sandbox.store, APP, [tag], oci_image(number))


def tags(sandbox: Sandbox) -> list[str]:
    """The tags that the registry has."""
    return sorted(sandbox.store.tags(APP) or ())


def listed(sandbox: Sandbox, *images: str, protect: str = "[]") -> ImageList:
    """A list file of these tags or patterns."""
    entries = "".join(f"  - {APP}:{image}\n" for image in images)
    return parse_list(f"registry: {sandbox.host}\nprotect: {protect}\nimages:\n{entries}", "images.yaml")


def opened(
    sandbox: Sandbox, journal: Journal | None = None, state_dir: Path | None = None, settings: Settings = SLOWLY
) -> Client:
    """A client that signs in as `admin`."""
    return Client(
        credentials={sandbox.host: ADMIN}, settings=settings, state_dir=state_dir, on_event=journal or Journal()
    )


def words(images: Sequence[ImageResult]) -> list[tuple[str, str]]:
    """The tag and the status of each image, with its reason or error code if there is one."""
    return [(result.image.rpartition(":")[2], _word(result)) for result in images]


def _word(result: ImageResult) -> str:
    outcome = result.outcome
    failure = getattr(outcome, "failure", None)
    more = failure.code if failure is not None else getattr(outcome, "reason", None)
    return f"{outcome.status} {more}" if more else str(outcome.status)
