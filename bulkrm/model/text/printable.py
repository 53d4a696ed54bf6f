r"""Makes text from registries and files safe to show: none of it controls a terminal, is invisible, or fakes a line.

Every character that `str.isprintable` rejects is replaced by its JSON escape (RFC 8259, section 7): control characters
(C0, DEL, C1, and so every escape sequence), line ends, bidirectional controls, characters without a width, and lone
surrogates, which stand for bytes that were not UTF-8. The form `\u001b` is readable, and a JSON parser turns it back
into the character.
"""


def printable(text: str) -> str:
    """Return the text as one line, with unprintable characters escaped; line ends are escaped too."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else escaped(character) for character in text)


def printable_lines(text: str) -> str:
    r"""Return a text of several lines, each made printable; `\n` is kept as the line end."""
    return text if text.isprintable() else "\n".join(printable(line) for line in text.split("\n"))


def escaped(text: str) -> str:
    r"""Return every character as `\uXXXX`, as JSON writes it; a character beyond U+FFFF becomes two of these."""
    units = text.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
