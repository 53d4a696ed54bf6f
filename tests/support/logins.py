"""Credentials for hosts whose ports are not known in advance."""

from collections.abc import Iterator, Mapping

from bulkrm.model.settings import Login


class Everywhere(Mapping[str, Login]):
    """One login for every host; None: anonymous."""

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
