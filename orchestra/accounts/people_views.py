"""The pages on which staff see to accounts and groups, and the one on which somebody invited makes an account."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.models import Group
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from orchestra.accounts import audit, invitations, people, second_factor
from orchestra.accounts.errors import PersonNotFound
from orchestra.accounts.forms import InvitedForm, InviteForm, QuotaForm
from orchestra.accounts.models import AuditAction, User
from orchestra.accounts.second_step import BACKEND
from orchestra.accounts.selectors import people_page
from orchestra.common.errors import OrchestraError
from orchestra.common.staff import StaffOnly


class PeopleView(StaffOnly, View):
    """Everybody who has an account, and the invitations that are open."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show a page of them."""
        return _people(request)


class InviteView(StaffOnly, View):
    """Invites one person and shows the link, this once."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Invite; rendered here, because the code must not travel through the session's storage."""
        form = InviteForm(request.POST)
        if not form.is_valid():
            return _people(request, invite=form)
        values = form.cleaned_data
        try:
            made = invitations.make(
                _actor(request), values["note"], values["quota"], [group.pk for group in values["groups"]]
            )
        except OrchestraError as error:
            return _people(request, invite=form, error=error)
        link = request.build_absolute_uri(f"{reverse('invitation')}#{made.code}")
        response = _people(request, made=made.row, link=link)
        response["Cache-Control"] = "no-store"
        return response


class WithdrawView(StaffOnly, View):
    """Ends an invitation."""

    def post(self, request: HttpRequest, invitation_id: UUID) -> HttpResponse:
        """End it."""
        invitations.withdraw(_actor(request), invitation_id)
        messages.success(request, "The invitation was withdrawn.")
        return redirect("people")


class PersonView(StaffOnly, View):
    """One account."""

    def get(self, request: HttpRequest, user_id: UUID) -> HttpResponse:
        """Show it."""
        return _person(request, user_id)


class PersonActionView(StaffOnly, View):
    """Changes one account."""

    def post(self, request: HttpRequest, user_id: UUID, action: str) -> HttpResponse:
        """Do it, and say so; or say why not."""
        act = _ACTIONS.get(action)
        if act is None:
            raise Http404
        try:
            done = act(request, user_id)
        except PersonNotFound as exc:
            raise Http404 from exc
        except OrchestraError as error:
            messages.error(request, f"{error.message} {error.hint}")
        else:
            if isinstance(done, HttpResponse):
                return done
            messages.success(request, done)
        return redirect("person", user_id)


class GroupsView(StaffOnly, View):
    """The groups."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show them."""
        groups = Group.objects.annotate(members=Count("user")).order_by("name")
        return render(request, "accounts/groups.html", {"groups": groups})

    def post(self, request: HttpRequest) -> HttpResponse:
        """Make another."""
        try:
            group = people.create_group(_actor(request), request.POST.get("name", ""))
        except OrchestraError as error:
            messages.error(request, f"{error.message} {error.hint}")
            return redirect("groups")
        return redirect("group", group.pk)


class GroupView(StaffOnly, View):
    """One group and its members."""

    def get(self, request: HttpRequest, group_id: int) -> HttpResponse:
        """Show it."""
        group = get_object_or_404(Group, pk=group_id)
        page = people_page(after=request.GET.get("after", ""), group=group)
        return render(request, "accounts/group.html", {"group": group, "page": page})


def _rename(request: HttpRequest, group_id: int) -> None:
    people.rename_group(_actor(request), group_id, request.POST.get("name", ""))


def _delete(request: HttpRequest, group_id: int) -> None:
    people.delete_group(_actor(request), group_id)
    messages.success(request, "The group was deleted.")


def _add(request: HttpRequest, group_id: int) -> None:
    people.join(_actor(request), _named(request), group_id)


class GroupActionView(StaffOnly, View):
    """Changes one group."""

    _ACTIONS: ClassVar[dict[str, Callable[[HttpRequest, int], None]]] = {
        "rename": _rename,
        "delete": _delete,
        "add": _add,
    }

    def post(self, request: HttpRequest, group_id: int, action: str) -> HttpResponse:
        """Do it, or say why not."""
        get_object_or_404(Group, pk=group_id)
        act = self._ACTIONS.get(action)
        if act is None:
            raise Http404
        try:
            act(request, group_id)
        except OrchestraError as error:
            messages.error(request, f"{error.message} {error.hint}")
            return redirect("group", group_id)
        return redirect("groups") if action == "delete" else redirect("group", group_id)


@method_decorator([never_cache, sensitive_post_parameters()], name="dispatch")
class InvitationView(View):
    """Where somebody who was invited chooses name and password. The code stands behind the # and reaches no log."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Ask."""
        return render(request, "accounts/invitation.html", {"form": InvitedForm()})

    def post(self, request: HttpRequest) -> HttpResponse:
        """Make the account and sign in."""
        code, form = request.POST.get("code", "").strip()[:200], InvitedForm(request.POST)
        try:
            invitations.require_open(code)  # first: without an invitation nobody learns which names are taken
            if not form.is_valid():
                return render(request, "accounts/invitation.html", {"form": form, "code": code})
            values = form.cleaned_data
            names = {name: values[name] for name in ("username", "first_name", "last_name", "email")}
            user = invitations.accept(code, invitations.NewPerson(password=values["password1"], **names))
        except OrchestraError as error:
            # A new form: one with what was typed would be looked at while it is shown, and tell which names are taken.
            return render(request, "accounts/invitation.html", {"form": InvitedForm(), "code": code, "error": error})
        login(request, user, backend=BACKEND)
        audit.record(AuditAction.SIGNED_IN, owner_id=user.pk)
        return redirect("home")


def _activate(request: HttpRequest, user_id: UUID) -> str:
    people.set_active(_actor(request), user_id, active=True)
    return "The account is active: sign-in works again."


def _deactivate(request: HttpRequest, user_id: UUID) -> str:
    people.set_active(_actor(request), user_id, active=False)
    return "The account is off, and whatever was given to it has ended."


def _make_staff(request: HttpRequest, user_id: UUID) -> str:
    people.set_staff(_actor(request), user_id, staff=True)
    return "This is a member of the staff now."


def _unmake_staff(request: HttpRequest, user_id: UUID) -> str:
    people.set_staff(_actor(request), user_id, staff=False)
    return "This is no member of the staff any more."


def _set_quota(request: HttpRequest, user_id: UUID) -> str | HttpResponse:
    form = QuotaForm(request.POST)
    if not form.is_valid():
        return _person(request, user_id, quota=form)
    people.set_quota(_actor(request), user_id, form.cleaned_data["quota"])
    return "The storage was set."


def _reset_two_factor(request: HttpRequest, user_id: UUID) -> str:
    done = people.reset_second_factor(_actor(request), user_id)
    return "The second factor was taken away." if done else "There was no second factor."


def _join(request: HttpRequest, user_id: UUID) -> str:
    people.join(_actor(request), user_id, _group_id(request))
    return "Taken into the group."


def _leave(request: HttpRequest, user_id: UUID) -> str:
    people.leave(_actor(request), user_id, _group_id(request))
    return "Taken out of the group."


_ACTIONS: dict[str, Callable[[HttpRequest, UUID], str | HttpResponse]] = {
    "activate": _activate,
    "deactivate": _deactivate,
    "staff": _make_staff,
    "no-staff": _unmake_staff,
    "quota": _set_quota,
    "reset-two-factor": _reset_two_factor,
    "join": _join,
    "leave": _leave,
}


def _actor(request: HttpRequest) -> User:
    return cast(User, request.user)


def _group_id(request: HttpRequest) -> int:
    value = request.POST.get("group", "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0


def _named(request: HttpRequest) -> UUID:
    """Return the id of whom a form names. Raises PersonNotFound."""
    name = request.POST.get("username", "").replace("\0", "").strip()
    found = User.objects.filter(username=name).values_list("pk", flat=True).first()
    if found is None:
        raise PersonNotFound
    return found


def _people(request: HttpRequest, **context: Any) -> HttpResponse:
    query = request.GET.get("q", "").replace("\0", "")[:100]
    context = {
        "page": people_page(query, request.GET.get("after", "")),
        "query": query,
        "invitations": invitations.open_ones().select_related("invited_by")[:100],
        "invite": InviteForm(),
        **context,
    }
    return render(request, "accounts/people.html", context)


def _person(request: HttpRequest, user_id: UUID, **context: Any) -> HttpResponse:
    person = people_page(only=user_id).rows
    if not person:
        raise Http404
    groups = list(person[0].groups.order_by("name"))
    context = {
        "person": person[0],
        "has_second_factor": second_factor.is_on(person[0]),
        "groups": groups,
        "other_groups": Group.objects.exclude(pk__in=[group.pk for group in groups]).order_by("name"),
        "quota": QuotaForm(initial={"quota": person[0].storage_quota}),
        "may_change": not person[0].is_superuser or _actor(request).is_superuser,
        **context,
    }
    return render(request, "accounts/person.html", context)
