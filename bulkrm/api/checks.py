"""What contradicts itself in what a run is asked, found before anything is sent."""

from bulkrm.engine.job import Job
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.settings import Connection, Policy, Shared
from bulkrm.remote.registries import refuse_unusable_connections
from bulkrm.selection.run_conditions import RunConditions

__all__ = ["refuse_blind", "refuse_contradictions", "refuse_unusable_connections"]


def refuse_contradictions(job: Job, connection: Connection) -> None:
    """Refuse what cannot be meant. Raises InputError."""
    refuse_blind(job.policy, job.conditions, protected=bool(job.protect))
    if job.default_port != connection.default_port:
        what = f"the images were read with the port {job.default_port} for hosts without one"
        remedy = f"read them with default_port={connection.default_port}, which the connection has"
        raise InputError(Problem("", what, remedy))


def refuse_blind(policy: Policy, conditions: RunConditions, *, protected: bool) -> None:
    """Refuse what rests on the other tags of a repository together with not reading them. Raises InputError."""
    if policy.shared is not Shared.DELETE_UNSEEN:
        return
    blind = (
        (protected, "protection"),
        (policy.recursive, "--recursive"),
        (policy.verify, "--verify"),
        (bool(conditions.in_use), "in-use"),
        (bool(conditions.min_keep), "min-keep"),
        (any(entry.ranks for entry in conditions.entries), "keep-newest"),
    )
    for given, what in blind:
        if given:
            message = f"delete-unseen does not read the tags that {what} rests on"
            raise InputError(Problem("--shared", message, f"use --shared delete, or remove {what}"))
