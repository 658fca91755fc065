"""Run the product's own PostgreSQL and Redis-protocol server, and all its programs under one parent.

Nothing here runs when `DATABASE_URL` and `REDIS_URL` name external servers. `postgres`, `valkey`, `processes` and
`paths` know no Django; `supervisor` knows no Django either and is given its programs; the commands join the two.
"""
