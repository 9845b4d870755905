"""Recording: impressions and clicks are counted, or refused."""
