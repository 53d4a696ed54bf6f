"""Tries the credentials that a run would use, by one request that needs them."""

from bulkrm.api.run_setup import RunSetup
from bulkrm.model.errors import RequestFailed
from bulkrm.model.http_status import MULTIPLE_CHOICES, NOT_FOUND
from bulkrm.model.reference import Repository
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.valueclass import valueclass
from bulkrm.protocol.explanation import explained, is_registry_answer, is_web_page
from bulkrm.protocol.message import PING, Answer, list_tags


@valueclass
class LoginCheck:
    """The answer of a registry to a request with these credentials.

    `status`: the HTTP status; None where there was no usable answer, which `failure` explains. `asks_for_credentials`:
    requests without credentials are refused. `is_anonymous`: no credentials were sent. `knows_repository`: False where the
    registry answered that there is no such repository, or no tag in it.
    """

    status: int | None
    failure: Failure | None = None
    asks_for_credentials: bool = True
    is_anonymous: bool = False
    knows_repository: bool = True

    @property
    def works(self) -> bool:
        """Tell whether the registry accepted the credentials."""
        return (self.failure is None and (self.status or 0) < MULTIPLE_CHOICES) or not self.knows_repository


async def check_login(setup: RunSetup, host: str, repository: Repository | None) -> LoginCheck:
    """GET `/v2/`, or the tags of a repository, with the credentials that a run would send. Raises InputError."""
    async with setup.registries(await setup.credentials_for((host,))) as registries:
        request = PING if repository is None else list_tags(repository)
        try:
            answer = await registries[host].host.exchange(request)
        except RequestFailed as error:
            return LoginCheck(None, error.failure)
        status, authorizer = answer.status, registries[host].host.authorizer
        asks, anonymous = authorizer.asks_for_credentials, authorizer.is_anonymous(repository)
    unknown = repository is not None and status == NOT_FOUND and is_registry_answer(answer)
    return LoginCheck(status, _web_page(host, answer), asks, anonymous, not unknown)


def _web_page(host: str, answer: Answer) -> Failure | None:
    """Return the failure for a success that is a web page: a login page, for instance, answers in the registry's place."""
    if answer.status >= MULTIPLE_CHOICES or not is_web_page(answer):
        return None
    message, hint = f"HTTP {answer.status}{explained(answer)}", f"is {host} an OCI / Docker v2 registry?"
    return Failure(FailureCode.UNEXPECTED_ANSWER, message, answer.status, hint)
