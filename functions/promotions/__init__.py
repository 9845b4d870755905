"""Promotions: paid posts on a social network, whose budget is shared among those who engaged with them."""
