"""A secret does not print."""

from bulkrm.model.secret import Secret


def test_a_secret_prints_as_stars() -> None:
    """No way of formatting gives the text."""
    secret = Secret("hunter2")

    assert str(secret) == "***"
    assert repr(secret) == "Secret(***)"
    assert f"{secret} {secret!r} {[secret]}" == "*** Secret(***) [Secret(***)]"


def test_only_reveal_gives_the_text() -> None:
    """`reveal` is the one way to it."""
    assert Secret("hunter2").reveal() == "hunter2"


def test_secrets_compare_by_their_text_and_know_if_there_is_any() -> None:
    """Equal texts are equal secrets; an empty one is false."""
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a")
    assert not Secret("")
