"""Formal argumentation over a dispute: which assertions can be held together, and why.

``framework`` holds arguments and attacks, ``grounded`` and ``semantics`` say what can be held,
``from_graph`` reads a dispute as a framework, ``view`` applies a reader's choices, ``positions``
draws these together, and ``explain`` looks at one assertion. Nothing is ever written to the graph.
"""
