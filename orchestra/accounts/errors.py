"""What can go wrong with accounts, each with a code, a sentence and a hint."""

from __future__ import annotations

from orchestra.common.errors import OrchestraError


class TwoFactorRequired(OrchestraError):
    """The password was right, and the account asks for a code too."""

    code = "two_factor_required"
    status = 401
    default_message = "This account is protected by a second factor: a code is needed too."
    default_hint = "Send the code that the authenticator shows, or a recovery code, as `code`."


class TwoFactorCodeWrong(OrchestraError):
    """The code is not the one of now, or was used before."""

    code = "two_factor_code_wrong"
    status = 401
    default_message = "This code is not right, or was used already."
    default_hint = "Wait for the next one. If none is accepted, the clocks of the device and of the server differ."


class TwoFactorSetupRequired(OrchestraError):
    """Staff must have a second factor here, and this member has none."""

    code = "two_factor_setup_required"
    status = 403
    default_message = "Staff need a second factor on this installation, and this account has none yet."
    default_hint = "Sign in by the page and set it up under Account."


class TwoFactorNotBegun(OrchestraError):
    """A code confirms nothing: no set-up is under way, or it is on already."""

    code = "two_factor_not_begun"
    status = 409
    default_message = "No set-up of a second factor is under way."
    default_hint = "Begin it under Account; where it is on already, switch it off first."


class KeyMayNotMakeKeys(OrchestraError):
    """A program that holds an API key asks for another."""

    code = "key_may_not_make_keys"
    status = 403
    default_message = "An API key cannot make another one."
    default_hint = "Sign in, by the page or for a token, and make it there."


class PasswordWrong(OrchestraError):
    """Who is signed in was asked for the password again, and gave another."""

    code = "password_wrong"
    status = 403
    default_message = "The password is not right."
    default_hint = "It tells capital letters from small ones."


class NotAllowed(OrchestraError):
    """Staff try what is for administrators, or act on one."""

    code = "not_allowed"
    status = 403
    default_message = "That is for administrators."
    default_hint = "Ask one of them."


class NotOnYourself(OrchestraError):
    """Somebody would shut themselves out."""

    code = "not_on_yourself"
    status = 409
    default_message = "You cannot do that to your own account."
    default_hint = "Ask another administrator."


class PersonNotFound(OrchestraError):
    """There is nobody of that name or id."""

    code = "person_not_found"
    status = 404
    default_message = "There is no such person."
    default_hint = "Look for them in the list of people."


class GroupNotFound(OrchestraError):
    """There is no group of that id."""

    code = "group_not_found"
    status = 404
    default_message = "There is no such group."
    default_hint = "It may have been deleted."


class GroupNameRefused(OrchestraError):
    """A group cannot be called that."""

    code = "group_name_refused"
    status = 409
    default_message = "A group needs a name of its own, of up to 150 signs."
    default_hint = "Choose another one."


class InvitationInvalid(OrchestraError):
    """The code was never given, was used, withdrawn, or is too old; these are not told apart."""

    code = "invitation_invalid"
    status = 410
    default_message = "This invitation does not hold, or no longer."
    default_hint = "Ask whoever invited you for a new one."


class UserNameTaken(OrchestraError):
    """Somebody else has the name."""

    code = "user_name_taken"
    status = 409
    default_message = "Somebody has this user name already."
    default_hint = "Choose another one."
