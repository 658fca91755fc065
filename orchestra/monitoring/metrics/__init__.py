"""What is counted and timed, for Prometheus and for the status page.

`declared` says what there is: each application declares its own figures. `pending` holds what this process has
counted, `keeping` brings it into PostgreSQL every few seconds, `reading` takes all of it for a scrape, `access` says
who may ask.
Why PostgreSQL: docs/decisions/0022.
"""
