"""The reference chain: a context that counts to a number, with the file names and the shape of every other one.

For each number it calls a party outside. The kernel's faults and mutants run on it once, in tests/faults; and it is
the example to copy for a new context. In the template it takes the place of the boosts.
"""
