"""The ``kg`` command: verbs that parse, call one function of the library, and print."""
