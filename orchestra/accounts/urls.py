"""Sign-in and account pages."""

from django.contrib.auth import views as auth_views
from django.urls import path

from orchestra.accounts import views
from orchestra.accounts.forms import SignInForm

_SIGN_IN = auth_views.LoginView.as_view(template_name="accounts/sign_in.html", authentication_form=SignInForm)

urlpatterns = [
    path("sign-in", _SIGN_IN, name="sign-in"),
    path("sign-out", auth_views.LogoutView.as_view(), name="sign-out"),
    path("account", views.AccountView.as_view(), name="account"),
    path("account/password", views.PasswordView.as_view(), name="account-password"),
    path("account/keys", views.CreateKeyView.as_view(), name="account-key-create"),
    path("account/keys/<uuid:key_id>/revoke", views.RevokeKeyView.as_view(), name="account-key-revoke"),
]
