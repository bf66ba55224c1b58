"""The recognition service without HTTP: worker processes, a bounded task queue, and jobs that survive a restart.

    settings     every limit                                    backend         the service, started and closed
    worker_pool  tasks -> results; replaces dead workers        worker_process  the service's handle of one worker
    worker       the program that a worker runs                 worker_streams  the audio streams of a worker
    ipc          messages between the service and a worker      timeline_codec  timeline <-> bytes
    job_store    jobs and stored responses in SQLite            job_runner      queued jobs -> stored timelines

`overtone.service.api` adds HTTP and WebSocket; nothing in this package depends on it.
"""
