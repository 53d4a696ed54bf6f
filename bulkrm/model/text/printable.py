r"""Text from registries and files, made safe to show: nothing in it controls a terminal, hides, or fakes a line.

Every character that Python does not call printable becomes its JSON escape (RFC 8259, section 7): control characters
(C0, DEL, C1, and with them every escape sequence), line ends, bidirectional controls, characters without a width, lone
surrogates, which stand for bytes that were no UTF-8. The form `\u001b` can be read, and inside of a JSON string it means
the same character as before.
"""


def printable(text: str) -> str:
    """Return the text as one line without characters that are not printable; a line end in it is escaped as well."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else escaped(character) for character in text)


def printable_lines(text: str) -> str:
    r"""Return a text of several lines, each made printable; `\n` ends a line and stays."""
    return text if text.isprintable() else "\n".join(printable(line) for line in text.split("\n"))


def escaped(text: str) -> str:
    r"""Return every character as `\uXXXX`, as JSON writes it: two of them beyond U+FFFF."""
    units = text.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
