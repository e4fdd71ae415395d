"""The SPARQL endpoint: the protocol in one process, every query in another that may be killed.

::

    run.py          sockets, signals, the ASGI server
    app.py          routes; what every response carries; several.py is the root of several disputes
    protocol.py graphs.py api.py resources.py ...  what a request asks for: a job
    quick.py        most short queries, answered before there is a task for them
    answers.py      a job to a response: cache, worker, limits, a failure that can be seen
    running.py      one job in one worker; leaving.py notices that the client has gone
    pool.py         worker processes, fair among clients; workers.py is one of them from here
    jobs.py         how one gets its jobs, and how one it has not begun is taken back
    launcher.py     starts them, as copies of template.py; worker.py is the other end
    published.py    which snapshot is the current one

The parent never parses SPARQL or RDF that came from outside and never opens a store.
"""
