"""The account of the tests is whole, whatever used moto before."""

from tests.account import bare_moto, modelled_account, secret_of


def test_the_kept_account_has_its_secrets_after_a_test_that_used_moto_alone():
    with modelled_account():
        pass
    with bare_moto():
        pass

    with modelled_account() as aws:
        assert secret_of("ViewerTokenSecret") in aws.secret("ViewerTokenSecret")
