"""What can go wrong with a request to another machine. No message names an address, a header or what was sent."""

from __future__ import annotations

from orchestra.common.errors import OrchestraError


class OutboundRefused(OrchestraError):
    """The request was not made: nothing may leave the machine at the moment, or not to this address."""

    code = "outbound_refused"
    status = 403
    default_message = "This request may not leave the machine."
    default_hint = "Private mode asks no other machine. Addresses that are not public: see OUTBOUND_ALLOWED_PRIVATE."


class OutboundFailed(OrchestraError):
    """The other machine is not there, breaks off, or does not speak HTTP."""

    code = "outbound_failed"
    status = 502
    transient = True
    default_message = "The other machine does not answer."
    default_hint = "Check the address and whether the server runs, then try again."


class OutboundTooSlow(OutboundFailed):
    """The whole exchange did not fit into its time."""

    code = "outbound_too_slow"
    status = 504
    default_message = "The other machine took too long."
    default_hint = "Try again later."


class OutboundTooLong(OutboundFailed):
    """The answer is longer than the caller takes, or packed."""

    code = "outbound_too_long"
    transient = False
    default_message = "The other machine sent more than is taken."
    default_hint = "Check whether the address is the right one."
