"""Boosts: labelled adjustments of the operator's own counters, in capped batches (S1). No traffic is ever generated."""
