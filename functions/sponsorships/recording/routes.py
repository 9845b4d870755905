"""Documents the routes of recording for OpenAPI. `sponsorships.recording.api` serves them, and never imports this."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from sluice import http
from sponsorships.recording.schemas import (
    Counted,
    CountedImpression,
    CountedImpressions,
    MintedToken,
    NewImpressionToken,
    PresentedToken,
    PresentedTokens,
)

app = http.resolver()

CampaignId = Annotated[str, Path(description="The campaign's id.", examples=["spn_01KB28QHY00000000000000000"])]


@app.post("/api/v1/campaigns/<campaign_id>/impressions/token", **http.public(errors=(403, 404, 409)))
def token(campaign_id: CampaignId, body: Annotated[NewImpressionToken, Body()]) -> MintedToken:
    """Mint a token for the viewer who sees the advertisement on a streamer's page.

    The viewer is the subject of a viewer's token in `Authorization`. Without such a token it is one of the three
    viewers of the network, if the campaign takes anonymous viewers, and the response is 403 if it does not. The
    response is 409 if the campaign takes no impressions of this streamer now; `code` is the reason.
    """
    raise NotImplementedError


@app.post("/api/v1/campaigns/<campaign_id>/impressions", **http.public(errors=(404,)))
def record(campaign_id: CampaignId, body: Annotated[PresentedToken, Body()]) -> CountedImpression:
    """Count the impression that a token proves, or return why it is refused. The status is 200 in both cases.

    A viewer counts once a campaign, or once a day. The same token may be sent again: `token_used` with `accepted_at`
    means that it is counted. Bots are refused, and so are `DNT` and `Sec-GPC` if the installation honours them.
    """
    raise NotImplementedError


@app.post("/api/v1/campaigns/<campaign_id>/impressions/batch", **http.public(errors=(404,)))
def record_many(campaign_id: CampaignId, body: Annotated[PresentedTokens, Body()]) -> CountedImpressions:
    """Count the impressions of up to 50 tokens. Each token has its own result: a refused token affects no other.

    If the body as a whole is invalid, the response is 400, and nothing is counted. After a 503 send all tokens again.
    """
    raise NotImplementedError


@app.post("/api/v1/campaigns/<campaign_id>/clicks", **http.public(errors=(404,)))
def click(campaign_id: CampaignId, body: Annotated[PresentedToken, Body()]) -> Counted:
    """Count the click on a counted impression, once, or return why it is refused. The status is 200 in both cases."""
    raise NotImplementedError
