"""What the commands do with their options: turn them into a job, and have it performed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from bulkrm.cli.in_use import read_in_use_option
from bulkrm.cli.inputs import Wanted, read_ignored, read_inputs, read_protection
from bulkrm.cli.options import values
from bulkrm.cli.options.declared import Confirmation, Output, Pace, Protection, Safety, SignIn, What
from bulkrm.cli.perform import Task, perform
from bulkrm.cli.run_folder import run_folder
from bulkrm.cli.setup import files_of, login_of, settings_of, writers_of
from bulkrm.engine.job import Job, Saved
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.reference import Reference, parse_host, parse_reference
from bulkrm.model.settings import Limit, Policy, Shared
from bulkrm.remote.registries import refuse_unusable_connections
from bulkrm.selection.run_conditions import RunConditions

if TYPE_CHECKING:
    from bulkrm.cli.commands.saved_plan import PlanOutput


@dataclass(frozen=True, slots=True)
class Files:
    """The files of a command: `named` are read, `plan` is written; `from_stdin`: standard input is one of its lists."""

    named: Sequence[Path] = ()
    from_stdin: bool = False
    plan: "PlanOutput | None" = None


def delete_images(what: What, safety: Safety, sign_in: SignIn, pace: Pace, output: Output) -> int:
    """`bulkrm delete`. Returns the exit code; raises InputError before anything was attempted."""
    output.streams.refuse_unanswerable(yes=safety.yes, dry_run=safety.dry_run)
    job, files = _job(what, safety, _policy(safety), sign_in)
    return _perform(job, safety, sign_in, pace, output, Files(files, from_stdin="-" in (what.files or ())))


def make_plan(what: What, safety: Safety, sign_in: SignIn, pace: Pace, output: Output, *, out: Path | None) -> int:
    """`bulkrm plan`. Returns the exit code that the run would have; raises InputError as `delete_images` does."""
    from bulkrm.cli.commands.saved_plan import PlanOutput  # noqa: PLC0415 (`delete` starts without what it loads)

    job, files = _job(what, safety, replace(_policy(safety), dry_run=True, measure=True), sign_in)
    plan = PlanOutput(job, out, files_of(sign_in, files))
    return _perform(job, safety, sign_in, pace, output, Files(files, from_stdin="-" in (what.files or ()), plan=plan))


def apply_plan(files: Sequence[str], safety: Protection, sign_in: SignIn, pace: Pace, output: Output) -> int:
    """`bulkrm apply`. Returns the exit code; raises InputError before anything was attempted."""
    from bulkrm.cli.commands.saved_plan import read_plan  # noqa: PLC0415 (as above)

    output.streams.refuse_unanswerable(yes=safety.yes, dry_run=safety.dry_run)
    limit = values.limit(safety.max_delete)
    saved = read_plan(files, hide=sign_in.ask_password)
    port = sign_in.connection.default_port
    protect = read_protection((*saved.protect, *(safety.protect or ())), port)
    if "max-delete" not in sign_in.configuration.typed:  # a default does not loosen what the plan was made with
        limit = Limit.smallest(known for known in (limit, saved.policy.max_delete) if known is not None)
    policy = replace(saved.policy, dry_run=safety.dry_run, max_delete=limit)
    in_use = read_in_use_option(safety.in_use or (), port)
    conditions = replace(saved.conditions, in_use=tuple(sorted({*saved.conditions.in_use, *in_use.references})))
    _refuse_blind(policy, conditions, protected=bool(protect))
    ignore = read_ignored(saved.ignore, port)
    job = Job(Saved(saved.plan, saved.lines), protect, policy, ignore, conditions, port)
    return _perform(job, safety, sign_in, pace, output, Files((*map(Path, files), *in_use.paths)))


def _policy(safety: Safety) -> Policy:
    return Policy(
        values.shared(safety.shared),
        values.limit(safety.max_delete),
        dry_run=safety.dry_run,
        fail_fast=safety.fail_fast,
        recursive=safety.recursive,
        allow_decoy=safety.allow_decoy,
        verify=safety.verify,
        strategy=values.strategy(safety.strategy),
    )


def _job(what: What, safety: Safety, policy: Policy, sign_in: SignIn) -> tuple[Job, tuple[Path, ...]]:
    """Read what is to be deleted; return it, and the files that it was read from."""
    port, hide = sign_in.connection.default_port, sign_in.ask_password
    wanted = Wanted(
        what.images or (),
        what.files or (),
        what.registry,
        safety.protect or (),
        port,
        hide,
        safety.ignore_unreadable or (),
        safety.in_use or (),
    )
    selected = read_inputs(wanted)
    _refuse_blind(policy, selected.conditions, protected=bool(selected.protect))
    explain = _explained(what, policy, sign_in)
    conditions = selected.conditions
    return Job(selected.entries, selected.protect, policy, selected.ignore, conditions, port, explain), selected.files


def _explained(what: What, policy: Policy, sign_in: SignIn) -> tuple[Reference, ...]:
    """Read the images that are to be explained. Raises InputError."""
    if what.explain and not policy.dry_run:
        if "explain" not in sign_in.configuration.typed:
            return ()  # a default of dry runs
        raise InputError(Problem("--explain", "only a dry run explains", "add -n, or use `bulkrm plan`"))
    port = sign_in.connection.default_port
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


def _perform(job: Job, safety: Confirmation, sign_in: SignIn, pace: Pace, output: Output, files: Files) -> int:
    settings, plan = settings_of(sign_in, pace, job.hosts), files.plan
    shown = plan.format if plan is not None and output.output == "text" else None
    written = plan.written if plan is not None else ()
    with writers_of(output, files_of(sign_in, files.named), shown, written) as writers:
        refuse_unusable_connections(job.hosts, settings)
        login = login_of(sign_in, job.hosts, output.streams, list_from_stdin=files.from_stdin)
        with run_folder(job, output.state_dir) as folder:
            finished = plan.finished if plan is not None else None
            return anyio.run(perform, Task(job, settings, login, writers, output, safety, folder, finished))
