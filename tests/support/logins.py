"""Credentials for hosts whose ports are known only later."""

from collections.abc import Iterator, Mapping

from bulkrm.model.settings import Login


class Everywhere(Mapping[str, Login]):
    """One login, whatever the host; or none."""

    def __init__(self, login: Login | None) -> None:
        self._login = login

    def __getitem__(self, host: str) -> Login:
        if self._login is None:
            raise KeyError(host)
        return self._login

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0
