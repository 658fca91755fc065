"""Sign-in and account pages."""

from django.contrib.auth import views as auth_views
from django.urls import path

from orchestra.accounts import people_views, second_factor_views, views

urlpatterns = [
    path("sign-in", second_factor_views.SignInView.as_view(), name="sign-in"),
    path("sign-in/code", second_factor_views.SignInCodeView.as_view(), name="sign-in-code"),
    path("sign-out", auth_views.LogoutView.as_view(), name="sign-out"),
    path("account", views.AccountView.as_view(), name="account"),
    path("account/profile", views.ProfileView.as_view(), name="account-profile"),
    path("account/sessions/end-others", views.EndOtherSessionsView.as_view(), name="account-sessions-end-others"),
    path("account/sessions/<uuid:session_id>/end", views.EndSessionView.as_view(), name="account-session-end"),
    path("account/sign-out-everywhere", views.SignOutEverywhereView.as_view(), name="account-sign-out-everywhere"),
    path("account/password", views.PasswordView.as_view(), name="account-password"),
    path("account/two-factor", second_factor_views.TwoFactorView.as_view(), name="account-two-factor"),
    path(
        "account/two-factor/<slug:action>",
        second_factor_views.TwoFactorActionView.as_view(),
        name="account-two-factor-action",
    ),
    path("account/keys", views.CreateKeyView.as_view(), name="account-key-create"),
    path("account/keys/<uuid:key_id>/revoke", views.RevokeKeyView.as_view(), name="account-key-revoke"),
    path("people", people_views.PeopleView.as_view(), name="people"),
    path("people/invite", people_views.InviteView.as_view(), name="people-invite"),
    path("people/invitations/<uuid:invitation_id>/withdraw", people_views.WithdrawView.as_view(), name="withdraw"),
    path("people/groups", people_views.GroupsView.as_view(), name="groups"),
    path("people/groups/<int:group_id>", people_views.GroupView.as_view(), name="group"),
    path("people/groups/<int:group_id>/<slug:action>", people_views.GroupActionView.as_view(), name="group-action"),
    path("people/<uuid:user_id>", people_views.PersonView.as_view(), name="person"),
    path("people/<uuid:user_id>/<slug:action>", people_views.PersonActionView.as_view(), name="person-action"),
    path("invitation", people_views.InvitationView.as_view(), name="invitation"),
]
