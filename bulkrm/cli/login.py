"""Passwords that are typed or piped in. No option takes a password as its value: other users could see it (`ps`)."""

import getpass
import os
import sys
from codecs import BOM_UTF8
from collections.abc import Sequence

from bulkrm.cli.options.declared import SignInOptions
from bulkrm.cli.terminal.streams import Stream, Streams
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.secret import Secret
from bulkrm.model.settings import REGISTRY_PASSWORD, REGISTRY_USERNAME
from bulkrm.model.text.layout import listed
from bulkrm.model.text.printable import printable

_MAX_PASSWORD = 64 * 2**10


def given_password(
    options: SignInOptions, streams: Streams, hosts: Sequence[str], *, list_from_stdin: bool
) -> Secret | None:
    """Return the password that is typed or piped in; None where it comes from the environment, or from a file.

    Raises InputError where the options are contradictory or incomplete.
    """
    if options.username == "":
        raise InputError(
            Problem("-u", "the name is empty", "perhaps a variable is not set; give a name, or leave -u out")
        )
    username = options.username or os.environ.get(REGISTRY_USERNAME)
    from_environment = os.environ.get(REGISTRY_PASSWORD)
    wants_password = options.ask_password or options.password_stdin or options.password_env is not None
    if not (username or wants_password or from_environment):
        return None
    _refuse_two_ways(options)
    if options.password_stdin:
        _check_stdin(streams, list_from_stdin=list_from_stdin)
    _check_user(options, username, hosts)
    user = username or ""
    if not _is_text(user) or not _is_text(from_environment or ""):
        raise InputError(Problem("", f"{REGISTRY_USERNAME} or {REGISTRY_PASSWORD} is not UTF-8", "set it anew"))
    if options.ask_password and _can_ask(streams):
        return Secret(_ask(user, hosts[0], streams))
    if options.password_stdin:
        return Secret(_read_stdin())
    if options.ask_password and not from_environment:  # there is no terminal to ask on
        remedy = f"use --password-stdin or {REGISTRY_PASSWORD}"
        raise InputError(Problem("-p", "there is no terminal to ask for the password on", remedy))
    return None


def _refuse_two_ways(options: SignInOptions) -> None:
    """Raise InputError where the password is to come from two places."""
    named = options.password_env is not None
    ways = (("-p", options.ask_password), ("--password-stdin", options.password_stdin), ("--password-env", named))
    chosen = [name for name, is_chosen in ways if is_chosen]
    if len(chosen) > 1:
        raise InputError(Problem(chosen[0], f"contradicts {chosen[1]}", "give one of them"))


def _check_user(options: SignInOptions, username: str | None, hosts: Sequence[str]) -> None:
    """Raise InputError where the password cannot be sent: there is no user name, or more than one registry."""
    if not username:
        what = "there is a password, but no user"
        unset = f", or unset {REGISTRY_PASSWORD}" if os.environ.get(REGISTRY_PASSWORD) else ""
        raise InputError(Problem("", what, f"add -u NAME or {REGISTRY_USERNAME}{unset}"))
    if ":" in username:
        # curl and skopeo take `user:password`; the name is not shown, it may be both (RFC 7617 has no ':' in a user).
        what, remedy = (
            "a user name has no ':' in it",
            f"give the name only; the password: -p, --password-stdin, {REGISTRY_PASSWORD}",
        )
        raise InputError(Problem("-u" if options.username else REGISTRY_USERNAME, what, remedy))
    if len(hosts) > 1:
        what = f"-u, -p, --password-stdin, --password-env, {REGISTRY_USERNAME} and {REGISTRY_PASSWORD} are for one registry, this run has {len(hosts)}"
        remedy = "`docker login` to each of them: without these, Docker's config.json is used"
        # With -p a "host" may be a password: docker's users write `-p secret`.
        named = "" if options.ask_password else f": {listed(hosts)}"
        raise InputError(Problem("", what + named, remedy))


def _check_stdin(streams: Streams, *, list_from_stdin: bool) -> None:
    if streams.stdin is Stream.TERMINAL:
        what = "standard input is a terminal, which would show the password"
        raise InputError(Problem("--password-stdin", what, "use -p to be asked for it, or pipe the password in"))
    if streams.stdin is Stream.CLOSED:
        raise InputError(Problem("--password-stdin", "standard input is closed", "pipe the password in"))
    if list_from_stdin:
        remedy = f"give the list as a file, or the password in {REGISTRY_PASSWORD}"
        raise InputError(Problem("--password-stdin", "standard input is the list already (-f -)", remedy))


def _is_text(value: str) -> bool:
    """Tell whether a value of the environment or the command line is valid UTF-8."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _can_ask(streams: Streams) -> bool:
    """Tell whether there is a terminal to ask on: standard input, or the controlling terminal, which getpass prefers."""
    return streams.can_ask or _has_terminal()


def _ask(username: str, host: str, streams: Streams) -> str:
    # Where standard error is a file, getpass writes the question to the terminal itself: nobody would see it in the file.
    stream = sys.stderr if streams.stderr is Stream.TERMINAL else None
    try:
        password = getpass.getpass(printable(f"Password for {username} at {host}: "), stream=stream)
    except (EOFError, OSError):
        password = ""
    if not password:
        raise InputError(Problem("-p", "no password was entered", "run it again"))
    return password


def _has_terminal() -> bool:
    """Tell whether the process has a controlling terminal, which getpass opens even if standard input is none."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _read_stdin() -> str:
    try:
        # PowerShell and some editors begin their output with a byte order mark, which is not part of the password.
        content = sys.stdin.buffer.read(_MAX_PASSWORD).removeprefix(BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        raise InputError(Problem("--password-stdin", "standard input is not UTF-8", "pipe the password in")) from error
    # `docker login --password-stdin` removes one line end, too.
    password = content.removesuffix("\n").removesuffix("\r")
    if not password:
        raise InputError(Problem("--password-stdin", "standard input is empty", "pipe the password in"))
    return password
