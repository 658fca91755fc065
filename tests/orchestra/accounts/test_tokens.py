"""JWT: short access, rotating refresh, own key, and every way in which a forged or old one is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.test import Client
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from orchestra.accounts.models import User

PASSWORD = "correct horse battery"


def post(path: str, **body: object) -> Any:
    return Client().post(f"/api/auth/{path}", body, content_type="application/json")


def tokens_of(name: str = "alice") -> dict[str, str]:
    response = post("token", username=name, password=PASSWORD)
    assert response.status_code == 200, response.content
    return dict(response.json())


def opens(token: str) -> bool:
    response = Client().get("/api/auth/me", headers={"Authorization": f"Bearer {token}"})
    assert response.status_code in (200, 401)
    return response.status_code == 200


def claims_of(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


def test_a_password_is_taken_as_it_is_with_its_blanks(alice: User) -> None:
    assert post("token", username="alice", password=f" {PASSWORD}").status_code == 401
    alice.set_password(f" {PASSWORD} ")
    alice.save()
    assert post("token", username="alice", password=f" {PASSWORD} ").status_code == 200


def test_access_token_opens_the_api_for_ten_minutes(alice: User) -> None:
    access = tokens_of()["access"]
    claims = claims_of(access)
    assert opens(access)
    assert claims["exp"] - claims["iat"] == 600
    assert (claims["iss"], claims["aud"], claims["user_id"]) == ("orchestra", "orchestra-api", str(alice.pk))


def test_tokens_are_signed_with_a_key_of_their_own(alice: User) -> None:
    access = tokens_of()["access"]
    assert settings.JWT_SIGNING_KEY != settings.SECRET_KEY
    jwt.decode(access, settings.JWT_SIGNING_KEY, algorithms=["HS256"], audience="orchestra-api")
    assert not opens(jwt.encode(claims_of(access), settings.SECRET_KEY, "HS256"))


def test_wrong_password_and_inactive_user_get_none_and_are_not_told_apart(alice: User) -> None:
    wrong = post("token", username="alice", password="wrong")
    unknown = post("token", username="nobody", password="wrong")
    User.objects.update(is_active=False)
    inactive = post("token", username="alice", password=PASSWORD)
    assert {wrong.status_code, unknown.status_code, inactive.status_code} == {401}
    assert wrong.json() == unknown.json() == inactive.json()


def test_refresh_rotates_and_the_old_one_is_worthless(alice: User) -> None:
    first = tokens_of()
    second = post("refresh", refresh=first["refresh"])
    assert second.status_code == 200
    assert opens(second.json()["access"])
    assert second.json()["refresh"] != first["refresh"]
    assert post("refresh", refresh=first["refresh"]).status_code == 401
    assert post("refresh", refresh=second.json()["refresh"]).status_code == 200


def test_revoked_refresh_token_is_refused(alice: User) -> None:
    refresh = tokens_of()["refresh"]
    assert post("revoke", refresh=refresh).status_code == 204
    answer = post("refresh", refresh=refresh)
    assert (answer.status_code, set(answer.json())) == (401, {"error"})
    assert post("revoke", refresh="made up").status_code == 401
    assert post("revoke").status_code == 400


def test_changed_password_ends_all_tokens(alice: User) -> None:
    tokens = tokens_of()
    alice.set_password("another horse battery")
    alice.save()
    assert not opens(tokens["access"])
    assert post("refresh", refresh=tokens["refresh"]).status_code == 401


def test_deactivated_and_deleted_users_tokens_end(alice: User, bob: User) -> None:
    hers, his = tokens_of(), tokens_of("bob")
    User.objects.filter(pk=alice.pk).update(is_active=False)
    bob.delete()
    for tokens in (hers, his):
        assert not opens(tokens["access"])
        assert post("refresh", refresh=tokens["refresh"]).status_code == 401


def test_refresh_token_opens_nothing_itself(alice: User) -> None:
    assert not opens(tokens_of()["refresh"])


def test_forged_tokens_are_refused(alice: User) -> None:
    claims = claims_of(tokens_of()["access"])
    key = settings.JWT_SIGNING_KEY
    later = datetime.now(UTC) + timedelta(hours=1)
    assert opens(jwt.encode({**claims, "exp": later}, key, "HS256")), "the forgeries below differ from a good one"
    forged = {
        "alg none": jwt.encode(claims, "", "none"),
        "alg none, capitals": jwt.encode(claims, "", "none").replace("eyJhbGciOiJub25l", "eyJhbGciOiJOb25l"),
        "HS384 with our key": jwt.encode(claims, key, "HS384"),
        "HS512 with our key": jwt.encode(claims, key, "HS512"),
        "empty key": jwt.encode(claims, "x" * 32, "HS256"),
        "the name of the key": jwt.encode(claims, "orchestra-api" * 3, "HS256"),
        "past": jwt.encode({**claims, "exp": datetime.now(UTC) - timedelta(seconds=1)}, key, "HS256"),
        "other audience": jwt.encode({**claims, "aud": "elsewhere"}, key, "HS256"),
        "no audience": jwt.encode({k: v for k, v in claims.items() if k != "aud"}, key, "HS256"),
        "other issuer": jwt.encode({**claims, "iss": "elsewhere"}, key, "HS256"),
        "other type": jwt.encode({**claims, "token_type": "sliding"}, key, "HS256"),
        "no type": jwt.encode({k: v for k, v in claims.items() if k != "token_type"}, key, "HS256"),
        "no user": jwt.encode({k: v for k, v in claims.items() if k != "user_id"}, key, "HS256"),
        "no password mark": jwt.encode({k: v for k, v in claims.items() if k != "hash_password"}, key, "HS256"),
    }
    assert [name for name, token in forged.items() if opens(token)] == []


def test_hand_made_tokens_live_as_long_as_the_settings_say(alice: User) -> None:
    assert AccessToken.lifetime == timedelta(minutes=10)
    assert RefreshToken.lifetime == timedelta(days=14)


@pytest.mark.django_db
def test_tokens_are_no_cookies() -> None:
    User.objects.create_user("carol", password=PASSWORD)
    assert not post("token", username="carol", password=PASSWORD).cookies
