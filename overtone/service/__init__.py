"""The service without its doors: workers that may die, a bounded queue to them, jobs that survive a restart.

    settings  every limit                                          house    all of it together, opened and closed
    pool      tasks -> results, by processes that are replaced     process  one of them, seen from here
    worker    what such a process does                             streams  those that it hears
    channel   messages between the two                             kept     a timeline <-> bytes
    store     jobs and first answers, in one SQLite file           runner   jobs in it -> timelines in it

Nothing here knows of HTTP: `overtone.service.api` does.
"""
