"""A brief of a dispute that one can hand to somebody else: short, neutral, cited throughout.

``model`` is what a brief is made of, and ``gather`` draws it together from an engine: each module
``gather_*`` fills one part by SPARQL, with ``voices`` to say who says what and ``strength`` to put
conflicts in order. ``markdown``, ``html`` and ``pdf`` render it; ``timeline`` and ``conflicts``
draw its pictures. ``summary`` is the same on one screen.

Every sentence names whoever says it and links to what it stands on. None says who is right.
"""
