"""What the commands do with their options: turn them into a job, and have it performed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from bulkrm.cli.in_use import read_in_use_option
from bulkrm.cli.inputs import Wanted, read_ignored, read_inputs, read_protection
from bulkrm.cli.options import values
from bulkrm.cli.options.declared import Access, Pace, Rules, Talk, What
from bulkrm.cli.perform import Task, perform
from bulkrm.cli.run_folder import run_folder
from bulkrm.cli.setup import files_of, login_of, settings_of, writers_of
from bulkrm.engine.job import Job, Saved
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.reference import Reference, parse_host, parse_reference
from bulkrm.model.settings import Limit, Policy, Shared
from bulkrm.remote.registries import refuse_unusable_connections
from bulkrm.selection.wanted import RunConditions

if TYPE_CHECKING:
    from bulkrm.cli.commands.saved_plan import PlanOutput


@dataclass(frozen=True, slots=True)
class Files:
    """The files that a command was given to read; `from_stdin`: standard input is one of its lists."""

    named: Sequence[Path] = ()
    from_stdin: bool = False


def delete_images(what: What, rules: Rules, access: Access, pace: Pace, talk: Talk, *, dry_run: bool) -> int:
    """`bulkrm delete`. Returns the exit code; raises InputError before anything was attempted."""
    talk.streams.refuse_unanswerable(yes=talk.yes, dry_run=dry_run)
    job, files = _job(what, replace(_policy(what, rules), dry_run=dry_run), access)
    return _perform(job, access, pace, talk, Files(files, from_stdin="-" in (what.files or ())))


def make_plan(what: What, rules: Rules, access: Access, pace: Pace, talk: Talk, *, out: Path | None) -> int:
    """`bulkrm plan`. Returns the exit code that the run would have; raises InputError as `delete_images` does."""
    from bulkrm.cli.commands.saved_plan import PlanOutput  # noqa: PLC0415 (`delete` starts without what it loads)

    job, files = _job(what, replace(_policy(what, rules), dry_run=True, measure=True), access)
    output = PlanOutput(job, out, files_of(access, files))
    return _perform(job, access, pace, talk, Files(files, from_stdin="-" in (what.files or ())), plan=output)


def apply_plan(files: Sequence[str], what: What, access: Access, pace: Pace, talk: Talk, *, dry_run: bool) -> int:
    """`bulkrm apply`. Returns the exit code; raises InputError before anything was attempted."""
    from bulkrm.cli.commands.saved_plan import read_plan  # noqa: PLC0415 (as above)

    talk.streams.refuse_unanswerable(yes=talk.yes, dry_run=dry_run)
    limit = values.limit(what.max_delete)
    saved = read_plan(files, hide=access.ask_password)
    protect = read_protection((*saved.protect, *(what.protect or ())), access.connection.default_port)
    if "max-delete" not in access.configuration.typed:  # a default does not loosen what the plan was made with
        limit = Limit.smallest(known for known in (limit, saved.policy.max_delete) if known is not None)
    policy = replace(saved.policy, dry_run=dry_run, max_delete=limit)
    port = access.connection.default_port
    in_use = read_in_use_option(what.in_use or (), port)
    conditions = replace(saved.conditions, in_use=tuple(sorted({*saved.conditions.in_use, *in_use.references})))
    _refuse_blind(policy, conditions, protected=bool(protect))
    ignore = read_ignored(saved.ignore, port)
    job = Job(Saved(saved.plan, saved.lines), protect, policy, ignore, conditions, port)
    return _perform(job, access, pace, talk, Files((*map(Path, files), *in_use.paths)))


def _policy(what: What, rules: Rules) -> Policy:
    return Policy(
        values.shared(rules.shared),
        values.limit(what.max_delete),
        fail_fast=rules.fail_fast,
        recursive=rules.recursive,
        allow_decoy=rules.allow_decoy,
        verify=rules.verify,
        strategy=values.strategy(rules.strategy),
    )


def _job(what: What, policy: Policy, access: Access) -> tuple[Job, tuple[Path, ...]]:
    """Read what is to be deleted; return it, and the files that it was read from."""
    port, hide = access.connection.default_port, access.ask_password
    wanted = Wanted(
        what.images or (),
        what.files or (),
        what.registry,
        what.protect or (),
        port,
        hide,
        what.ignore_unreadable or (),
        what.in_use or (),
    )
    selected = read_inputs(wanted)
    _refuse_blind(policy, selected.conditions, protected=bool(selected.protect))
    explain = _explained(what, policy, access)
    conditions = selected.conditions
    return Job(selected.entries, selected.protect, policy, selected.ignore, conditions, port, explain), selected.files


def _explained(what: What, policy: Policy, access: Access) -> tuple[Reference, ...]:
    """Read the images that are to be explained. Raises InputError."""
    if what.explain and not policy.dry_run:
        if "explain" not in access.configuration.typed:
            return ()  # a default of dry runs
        raise InputError(Problem("--explain", "only a dry run explains", "add -n, or use `bulkrm plan`"))
    port = access.connection.default_port
    default = parse_host(what.registry, port) if what.registry else None
    problems: list[Problem] = []
    found: list[Reference] = []
    for text in what.explain or ():
        try:
            found.append(parse_reference(text, default_host=default, default_port=port))
        except InputError as error:
            problems += (Problem("--explain", problem.what, problem.remedy) for problem in error.problems)
    if problems:
        raise InputError(*problems)
    return tuple(found)


def _refuse_blind(policy: Policy, conditions: RunConditions, *, protected: bool) -> None:
    """Refuse what rests on the other tags of a repository together with not reading them."""
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


def _perform(
    job: Job, access: Access, pace: Pace, talk: Talk, files: Files, *, plan: "PlanOutput | None" = None
) -> int:
    settings = settings_of(access, pace, job.hosts)
    output = plan.format if plan is not None and talk.output == "text" else None
    written = plan.written if plan is not None else ()
    with writers_of(talk, files_of(access, files.named), output, written) as writers:
        refuse_unusable_connections(job.hosts, settings)
        login = login_of(access, job.hosts, talk.streams, list_from_stdin=files.from_stdin)
        with run_folder(job, talk.state_dir) as folder:
            finished = plan.finished if plan is not None else None
            return anyio.run(perform, Task(job, settings, login, writers, talk, folder, finished))
