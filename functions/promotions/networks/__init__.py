"""The networks: one adapter each. A module is imported when its network is used, because the libraries are slow."""
