"""Archives every manifest that is read whole, and collects the sizes of its blobs if the plan needs them."""

from dataclasses import replace

from bulkrm.engine.record.recorder import Recorder
from bulkrm.model.manifests.manifest import Blob, Manifest, Resolved, blobs


class ManifestSink:
    """A function that archives a manifest and returns its metadata."""

    def __init__(self, recorder: Recorder, *, measure: bool) -> None:
        """Archive manifests by `recorder`; `measure`: the metadata has the blobs of images too."""
        self._recorder = recorder
        self._measure = measure
        self._blobs: dict[Blob, Blob] = {}

    def __call__(self, manifest: Manifest) -> Resolved:
        """Archive a manifest; return its metadata, with its blobs if they are measured."""
        self._recorder.manifest(manifest)
        if not self._measure:
            return manifest.resolved
        # Images share layers: each is kept in memory once.
        found = blobs(manifest.media_type, manifest.content)
        return replace(manifest.resolved, blobs=tuple(self._blobs.setdefault(blob, blob) for blob in found))
