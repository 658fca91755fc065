"""What can go wrong with a connection to another service. No message has a credential."""

from __future__ import annotations

from orchestra.common.errors import OrchestraError


class ConnectionInvalid(OrchestraError):
    """The fields do not fit the provider. `details` has a sentence per field."""

    code = "connection_invalid"
    status = 400
    default_message = "The connection has fields that are not right."
    default_hint = "Correct the fields named in details; GET /api/integrations says which a provider has."


class ConnectionNotFound(OrchestraError):
    """There is no such connection, or it is somebody else's."""

    code = "connection_not_found"
    status = 404
    default_message = "There is no such connection."
    default_hint = "Check the id; it may have been deleted."


class ConnectionNotYours(OrchestraError):
    """A connection of the installation's, which staff alone change."""

    code = "connection_not_yours"
    status = 403
    default_message = "This connection belongs to the installation."
    default_hint = "Ask an administrator, or make a connection of your own."


class TooManyConnections(OrchestraError):
    """One owner has as many connections as there may be."""

    code = "too_many_connections"
    status = 409
    default_message = "There are as many connections as there may be."
    default_hint = "Delete one that is not used any more."


class NotASource(OrchestraError):
    """A connection that brings no documents was asked for some."""

    code = "not_a_source"
    status = 409
    default_message = "This connection brings no documents."
    default_hint = "Choose a connection whose provider is of the kind `source`."
