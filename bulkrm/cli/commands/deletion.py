"""`bulkrm delete`, `plan` and `apply`: read the files that the options name, and have a client do the work."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from bulkrm.api.client import Client
from bulkrm.cli.in_use import read_in_use_option
from bulkrm.cli.inputs import Selected, Wanted, read_inputs
from bulkrm.cli.options import values
from bulkrm.cli.options.declared import (
    ConfirmationOptions,
    ImageOptions,
    OutputOptions,
    PaceOptions,
    ProtectionOptions,
    SafetyOptions,
    SignInOptions,
)
from bulkrm.cli.perform import Task, Work, perform
from bulkrm.cli.setup import files_of, login_of, settings_of, writers_of
from bulkrm.cli.terminal.console import say
from bulkrm.cli.terminal.question import Question
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.reference import Reference, parse_host, parse_reference
from bulkrm.model.result.report import Report
from bulkrm.model.settings import Limit, Policy
from bulkrm.remote.registries import refuse_unusable_connections
from bulkrm.selection.image_list import read_patterns
from bulkrm.selection.run_conditions import refuse_blind
from bulkrm.state.location import state_dir

if TYPE_CHECKING:
    from bulkrm.cli.commands.saved_plan import PlanOutput


@dataclass(frozen=True, slots=True)
class Files:
    """The files of a command: `named` are read, `plan` is written; `from_stdin`: standard input is one of its lists."""

    named: Sequence[Path] = ()
    from_stdin: bool = False
    plan: "PlanOutput | None" = None


@dataclass(frozen=True, slots=True)
class Errand:
    """The work of a command for the client, its policy, and the hosts that are asked."""

    hosts: tuple[str, ...]
    policy: Policy
    work: Work


def delete_images(
    what: ImageOptions, safety: SafetyOptions, sign_in: SignInOptions, pace: PaceOptions, output: OutputOptions
) -> int:
    """`bulkrm delete`. Returns the exit code; raises InputError before anything was attempted."""
    output.streams.refuse_unanswerable(yes=safety.yes, dry_run=safety.dry_run)
    selected, policy = _selected(what, safety, sign_in), _policy(safety)
    explain = _explained(what, policy, sign_in)
    refuse_blind(policy, selected.images.conditions, protected=bool(selected.images.protect))

    async def delete(client: Client, question: Question) -> Report:
        return await client.delete(selected.images, policy, confirm=question, explain=explain)

    files = Files(selected.files, from_stdin="-" in (what.files or ()))
    return _perform(Errand(selected.images.hosts, policy, delete), safety, sign_in, pace, output, files)


def make_plan(
    what: ImageOptions,
    safety: SafetyOptions,
    sign_in: SignInOptions,
    pace: PaceOptions,
    output: OutputOptions,
    *,
    out: Path | None,
) -> int:
    """`bulkrm plan`. Returns the exit code that the run would have; raises InputError as `delete_images` does."""
    from bulkrm.cli.commands.saved_plan import PlanOutput  # noqa: PLC0415 (`delete` starts without what it loads)

    selected, policy = _selected(what, safety, sign_in), replace(_policy(safety), dry_run=True, measure=True)
    explain = _explained(what, policy, sign_in)
    refuse_blind(policy, selected.images.conditions, protected=bool(selected.images.protect))
    planned = PlanOutput(out, files_of(sign_in, selected.files))

    async def plan(client: Client, _: Question) -> Report:
        return planned.made(await client.plan(selected.images, policy, explain=explain))

    files = Files(selected.files, from_stdin="-" in (what.files or ()), plan=planned)
    return _perform(Errand(selected.images.hosts, policy, plan), safety, sign_in, pace, output, files)


def apply_plan(
    files: Sequence[str], safety: ProtectionOptions, sign_in: SignInOptions, pace: PaceOptions, output: OutputOptions
) -> int:
    """`bulkrm apply`. Returns the exit code; raises InputError before anything was attempted."""
    from bulkrm.cli.commands.saved_plan import read_plan  # noqa: PLC0415 (as above)

    output.streams.refuse_unanswerable(yes=safety.yes, dry_run=safety.dry_run)
    limit = values.limit(safety.max_delete)
    saved = read_plan(files, hide=sign_in.ask_password)
    port = sign_in.connection.default_port
    protect = tuple(safety.protect or ())
    read_patterns("--protect", protect, port)
    if "max-delete" not in sign_in.configuration.typed:  # a default does not loosen what the plan was made with
        limit = Limit.smallest(known for known in (limit, saved.policy.max_delete) if known is not None)
    policy = replace(saved.policy, dry_run=safety.dry_run, max_delete=limit)
    in_use = read_in_use_option(safety.in_use or (), port)
    conditions = saved.document.conditions
    conditions = replace(conditions, in_use=tuple(sorted({*conditions.in_use, *in_use.references})))
    refuse_blind(policy, conditions, protected=bool(saved.document.protect or protect))

    async def apply(client: Client, question: Question) -> Report:
        return await client.apply(saved, policy, protect=protect, in_use=in_use.references, confirm=question)

    errand = Errand(saved.hosts, policy, apply)
    return _perform(errand, safety, sign_in, pace, output, Files((*map(Path, files), *in_use.paths)))


def _policy(safety: SafetyOptions) -> Policy:
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


def _selected(what: ImageOptions, safety: SafetyOptions, sign_in: SignInOptions) -> Selected:
    """Read the images to delete, with their rules, from arguments and list files. Raises InputError."""
    wanted = Wanted(
        what.images or (),
        what.files or (),
        what.registry,
        safety.protect or (),
        sign_in.connection.default_port,
        sign_in.ask_password,
        safety.ignore_unreadable or (),
        safety.in_use or (),
    )
    return read_inputs(wanted)


def _explained(what: ImageOptions, policy: Policy, sign_in: SignInOptions) -> tuple[Reference, ...]:
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


def _perform(
    errand: Errand,
    safety: ConfirmationOptions,
    sign_in: SignInOptions,
    pace: PaceOptions,
    output: OutputOptions,
    files: Files,
) -> int:
    settings, plan = settings_of(sign_in, pace, errand.hosts), files.plan
    shown = plan.format if plan is not None and output.output == "text" else None
    written = plan.written if plan is not None else ()
    with writers_of(output, files_of(sign_in, files.named), shown, written) as writers:
        refuse_unusable_connections(errand.hosts, settings)
        login = login_of(sign_in, errand.hosts, output.streams, list_from_stdin=files.from_stdin)
        task = Task(
            errand.hosts,
            settings,
            login,
            writers,
            output,
            consent=safety,
            state_dir=None if errand.policy.dry_run else state_dir(output.state_dir, os.environ),
            recursive=errand.policy.recursive,
            trouble=plan.trouble if plan is not None else None,
            resumable=not errand.policy.dry_run,
        )
        code = anyio.run(perform, task, errand.work)
        for step in plan.next_steps if plan is not None and not output.quiet else ():
            say(step)
        return code
