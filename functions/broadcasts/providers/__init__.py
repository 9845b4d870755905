"""The providers of messages: one adapter each. A module is imported when its provider is used: libraries are slow."""
