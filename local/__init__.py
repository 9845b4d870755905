"""Running Sluice on a laptop, and the operator's commands behind `make`. Nothing here is deployed."""
