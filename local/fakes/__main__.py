"""Starts the fakes, says how a stack on this machine uses them, and serves until it is interrupted."""

from contextlib import suppress
from threading import Event

from local.fakes.hedera import ACCOUNT, CONTRACT, NODE, FakeHedera
from local.fakes.http import TOKEN
from local.fakes.issuer import CLIENT, PERSON, FakeIssuer
from local.fakes.mastodon import FakeMastodon
from local.fakes.webhooks import APP_SECRET, JWT_KEY
from local.fakes.whatsapp import FakeWhatsApp
from local.fakes.x import FakeX
from sluice.clock import SystemClock


def main() -> None:
    clock = SystemClock()
    hedera = FakeHedera(clock)
    with (
        FakeMastodon(clock).running() as mastodon,
        FakeX(clock).running() as x,
        hedera.running() as (node, mirror),
        FakeWhatsApp(clock).running() as whatsapp,
        FakeIssuer().running() as issuer,
    ):
        print(f"Mastodon  http://{mastodon}    X  http://{x}    token of both: {TOKEN}    account: 1001")
        print(f"Parameters: MastodonHosts={mastodon} XBaseUrl=http://{x}")
        print(f"Hedera    node {node}    mirror http://{mirror}    key of {ACCOUNT}: {hedera.operator_key}")
        print(f"Parameters: HederaNodes={node}={NODE} HederaMirror=http://{mirror}")
        print(f"            Escrow=hedera HederaAccount={ACCOUNT} HederaContract={CONTRACT}")
        print("Faults: curl -X PUT <fake>/_fake/faults -H 'Content-Type: application/json'")
        print('        -d \'{"operation": "post", "faults": ["lost"]}\'    Posts: curl <fake>/_fake/posts')
        print('        Hedera, at its mirror: -d \'{"faults": ["lost"]}\'    Calls: curl <mirror>/_fake/transactions')
        print(f"WhatsApp  http://{whatsapp}    Evolution's apiKey and Meta's accessToken: {TOKEN}")
        print(f"          jwtKey: {JWT_KEY}    appSecret: {APP_SECRET}")
        print(f"          AWS in a shell: export AWS_ENDPOINT_URL_SOCIALMESSAGING=http://{whatsapp}")
        print("          Webhooks: curl -X PUT <whatsapp>/_fake/webhooks -H 'Content-Type: application/json'")
        print(
            '          -d \'{"provider": "evolution", "instance": "<address>", "url": "<url>", "secret": "<jwtKey>"}\''
        )
        print('          Faults: {"faults": ["lost", null], "to": "<phone>"}    Calls: curl <whatsapp>/_fake/calls')
        print(
            f"Identity provider  http://{issuer}    signs everybody in, with the groups {', '.join(PERSON['groups'])}"
        )
        print(f"Parameters: OidcIssuer=http://{issuer} OidcAudience={CLIENT}")
        print(
            "          Another person: curl -X PUT <identity provider>/_fake/person -H 'Content-Type: application/json'"
        )
        print('          -d \'{"sub": "ada", "groups": ["sluice-ops"]}\'')
        print("Give parameters to a stack: make up PARAMETERS='<name>=<value> ...'. They stay until others are given.")
        print("Stop these with Ctrl-C.", flush=True)
        with suppress(KeyboardInterrupt):
            Event().wait()


if __name__ == "__main__":
    main()
