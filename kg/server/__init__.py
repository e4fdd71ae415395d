"""The SPARQL endpoint: the protocol in one process, every query in another that may be killed.

::

    main.py run.py  from a dispute to sockets, signals and the ASGI server
    app.py          routes; what every response carries
    site.py         what is served, from published.py: the snapshot that is the current one

    addresses/      what a request asks for: protocol.py graphs.py api.py resources.py ... make a
                    job of it; several.py is the root of several disputes
    answering/      from a job to a response: answers.py with its cache, its limits, and failures
                    that can be seen; quick.py for most short queries, before there is a task
    worker/         the other end of the pool: what runs in a process, and what it gives up first
    pool/           worker processes: pool.py lends them, fair among clients, jobs.py and frames.py
                    are what goes to them and comes back, running.py is one job in one of them
    wire/           HTTP in and out; the log, the counters, who leaves and who is slow

Each of these rooms imports from those below it only.

The parent never parses SPARQL or RDF that came from outside and never opens a store.
"""
