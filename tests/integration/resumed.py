"""`bulkrm resume` in this process, with a clock of the test's."""

from bulkrm.api.record import closing_folder
from bulkrm.api.resumable import job_of
from bulkrm.state.folder import RunFolder
from bulkrm.state.known import known_runs
from tests.integration.engine import Done, Options, run_job


async def resume(host: str, options: Options) -> Done:
    """Go on with the only run in the options' state folder. Of the options only those count that `resume` takes."""
    assert options.state is not None
    (run,) = known_runs(options.state)
    assert not run.is_finished
    with closing_folder(RunFolder.open(options.state, run.id)) as folder:
        folder.begin_part()
        return await run_job(host, job_of(run), options, folder)
