"""Calls of a plugin's code: what it raises, and a result of a wrong type, becomes a `PluginError`, which names the plugin.

Nobody may have checked a plugin. So whoever calls one treats a `PluginError` as a failure of what depends on the result:
nothing of that is deleted. Bugs of bulkrm itself are not caught here.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from bulkrm.model.errors import BulkrmError, InputError, Problem
from bulkrm.model.extensions.discovery import Plugin
from bulkrm.model.result.failure import Failure, FailureCode, Reach
from bulkrm.model.text.printable import printable

T = TypeVar("T")
_MAX_TEXT = 160


class PluginError(BulkrmError):
    """A plugin's code raised an error, or returned something of a wrong type. The text is one line that names the plugin."""

    def __init__(self, plugin: Plugin, what: str) -> None:
        """Name the plugin, and say `what` it did."""
        super().__init__(f"plugin {plugin}: {printable(what)}")
        self.remedy = f"repair the plugin, or uninstall it: pip uninstall {plugin.distribution}"

    @property
    def problem(self) -> Problem:
        """The error as a mistake in the user's input, which the plugin is a part of."""
        return Problem("", str(self), self.remedy)

    def failure(self, reach: Reach = Reach.IMAGE) -> Failure:
        """Return the error as the failure of an image. `reach`: what else it affects."""
        return Failure(FailureCode.PLUGIN_ERROR, str(self), hint=self.remedy, reach=reach)


def call_plugin(plugin: Plugin, expected: str, fits: Callable[[Any], bool], call: Callable[[], Any]) -> Any:
    """Return the result of a call of a plugin's code. `fits`: tells whether the result can be used; `expected`: its type.

    Raises PluginError.
    """
    try:
        result = call()
        if fits(result):
            return result
    except (Exception, SystemExit) as error:
        raise error_of(plugin, error) from error
    raise wrong_result(plugin, expected, result)


def refusing(plugin: Plugin, call: Callable[[T], Any]) -> Callable[[T], Any]:
    """Return a function that raises InputError where `call`, a plugin's function that parses input, raises anything."""

    def parse(argument: T) -> Any:
        try:
            return call(argument)
        except InputError:
            raise
        except (Exception, SystemExit) as error:
            what = str(error_of(plugin, error))
            raise InputError(
                Problem("", what, "correct the value, or leave the key out; or repair the plugin")
            ) from error

    return parse


def error_of(plugin: Plugin, error: BaseException) -> PluginError:
    """Return the error of a plugin whose code raised this exception."""
    return PluginError(plugin, f"{type(error).__name__}: {str(error)[:_MAX_TEXT]}")


def silent_error_of(plugin: Plugin, error: BaseException) -> PluginError:
    """Return the error of a plugin that handles secrets: the text of its exception may hold one, so it is left out."""
    return PluginError(plugin, f"{type(error).__name__}, whose text is not shown because it may hold a secret")


def wrong_result(plugin: Plugin, expected: str, result: Any) -> PluginError:
    """Return the error of a plugin whose code returned something else than what was expected."""
    return PluginError(plugin, f"it returned {type(result).__name__} where {expected} is expected")
