"""`bulkrm delete`, `plan` and `apply`: read the files that the options name, and have a client plan and delete."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bulkrm.api.client import Client
from bulkrm.cli.client_run import ClientRun
from bulkrm.cli.inputs import read_images, read_in_use_option
from bulkrm.cli.options import values
from bulkrm.cli.options.declared import (
    ImageOptions,
    OutputOptions,
    PaceOptions,
    ProtectionOptions,
    SafetyOptions,
    SignInOptions,
)
from bulkrm.cli.setup import files_of
from bulkrm.cli.terminal.question import Question
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.reference import Reference, parse_host, parse_reference
from bulkrm.model.result.report import Report
from bulkrm.model.settings import Limit, Policy
from bulkrm.selection.conditional import refuse_unread_tags
from bulkrm.selection.image_list import read_patterns


def delete_images(
    image_options: ImageOptions, safety: SafetyOptions, sign_in: SignInOptions, pace: PaceOptions, output: OutputOptions
) -> int:
    """`bulkrm delete`. Returns the exit code; raises InputError before anything was attempted."""
    output.process.streams.refuse_unanswerable(yes=safety.yes, dry_run=safety.dry_run)
    (images, files), policy = read_images(image_options, safety, sign_in), _policy(safety)
    explain = _read_explained(image_options, policy, sign_in)
    refuse_unread_tags(policy, images.conditions, protected=bool(images.protect))

    async def delete(client: Client, question: Question) -> Report:
        return await client.delete(images, policy, confirm=question, explain=explain)

    stdin = image_options.reads_stdin
    run = ClientRun(delete, images.hosts, policy, safety, sign_in, pace, output, read=files, list_from_stdin=stdin)
    return run.run()


def make_plan(
    image_options: ImageOptions,
    safety: SafetyOptions,
    sign_in: SignInOptions,
    pace: PaceOptions,
    output: OutputOptions,
    *,
    out: Path | None,
) -> int:
    """`bulkrm plan`. Returns the exit code that the run would have; raises InputError as `delete_images` does."""
    from bulkrm.cli.commands.saved_plan import PlanOutput  # noqa: PLC0415 (`delete` starts without what it loads)

    (images, files), policy = read_images(image_options, safety, sign_in), _policy(safety)
    policy = replace(policy, dry_run=True, measure=True)
    explain = _read_explained(image_options, policy, sign_in)
    refuse_unread_tags(policy, images.conditions, protected=bool(images.protect))
    planned = PlanOutput(out, files_of(sign_in, files))

    async def plan(client: Client, _: Question) -> Report:
        return planned.keep(await client.plan(images, policy, explain=explain))

    stdin = image_options.reads_stdin
    run = ClientRun(
        plan, images.hosts, policy, safety, sign_in, pace, output, read=files, list_from_stdin=stdin, plan=planned
    )
    return run.run()


def apply_plan(
    files: Sequence[str], safety: ProtectionOptions, sign_in: SignInOptions, pace: PaceOptions, output: OutputOptions
) -> int:
    """`bulkrm apply`. Returns the exit code; raises InputError before anything was attempted."""
    from bulkrm.cli.commands.saved_plan import read_plan  # noqa: PLC0415 (as above)

    output.process.streams.refuse_unanswerable(yes=safety.yes, dry_run=safety.dry_run)
    limit = values.limit(safety.max_delete)
    saved = read_plan(files, hide=sign_in.ask_password)
    port = sign_in.connection.default_port
    protect = tuple(safety.protect or ())
    read_patterns("--protect", protect, port)
    if "max-delete" not in sign_in.configuration.typed:  # a default does not loosen the limit of the plan
        limit = Limit.smallest(known for known in (limit, saved.policy.max_delete) if known is not None)
    policy = replace(saved.policy, dry_run=safety.dry_run, max_delete=limit)
    in_use = read_in_use_option(safety.in_use or (), port)
    conditions = saved.document.conditions
    conditions = replace(conditions, in_use=tuple(sorted({*conditions.in_use, *in_use.references})))
    refuse_unread_tags(policy, conditions, protected=bool(saved.document.protect or protect))

    async def apply(client: Client, question: Question) -> Report:
        return await client.apply(saved, policy, protect=protect, in_use=in_use.references, confirm=question)

    read = (*map(Path, files), *in_use.paths)
    return ClientRun(apply, saved.hosts_at(port), policy, safety, sign_in, pace, output, read=read).run()


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


def _read_explained(image_options: ImageOptions, policy: Policy, sign_in: SignInOptions) -> tuple[Reference, ...]:
    """Read the references of `--explain`. Raises InputError."""
    if image_options.explain and not policy.dry_run:
        if "explain" not in sign_in.configuration.typed:
            return ()  # a default, which holds for dry runs only
        raise InputError(Problem("--explain", "only a dry run explains", "add -n, or use `bulkrm plan`"))
    port = sign_in.connection.default_port
    default = parse_host(image_options.registry, port) if image_options.registry else None
    problems: list[Problem] = []
    found: list[Reference] = []
    for text in image_options.explain or ():
        try:
            found.append(parse_reference(text, default_host=default, default_port=port))
        except InputError as error:
            problems += (Problem("--explain", problem.what, problem.remedy) for problem in error.problems)
    if problems:
        raise InputError(*problems)
    return tuple(found)
