"""The examples in the docstrings run and print what they say."""

import doctest

import hamvae_model


def test_the_verbs_shown_in_the_package_docstring_do_what_they_show() -> None:
    result = doctest.testmod(hamvae_model)
    assert result.attempted >= 9 and result.failed == 0
