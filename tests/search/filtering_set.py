"""A small labelled set for the content filter, made by this project: what must go, and what looks alike and must stay.

Keys are put together from pieces, so that no scanner takes them for leaked ones. All numbers are the published test
numbers of their kinds or were made with the right checksum; nobody has them. Some cases are beyond the filter, on
purpose: precision and recall are measured, not defined.
"""

from __future__ import annotations

_R = "aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xY"  # 32 characters that mean nothing

SECRETS: tuple[tuple[str, str], ...] = (
    # (text, what must not be left of it)
    (f"export AWS_ACCESS_KEY_ID={'AK' + 'IA'}IOSFODNN7EXAMPLE", "IOSFODNN7EXAMPLE"),
    (f"the deploy user has {'AS' + 'IA'}Q3EGHZ2KLMN4OPQR for now", "Q3EGHZ2KLMN4OPQR"),
    (f"git clone with {'gh' + 'p_'}{_R}abcd and push", f"{_R}abcd"),
    (f"{'github' + '_pat_'}11ABCDEFG0{_R}", _R),
    (f"CI uses {'gl' + 'pat-'}{_R[:20]} since May", _R[:20]),
    (f"slack: {'xo' + 'xb-'}123456789012-{_R[:24]}", _R[:24]),
    (f"OPENAI {'sk' + '-proj-'}{_R}", _R),
    (f"stripe {'sk' + '_live_'}{_R[:24]} is in the vault", _R[:24]),
    (f"maps key {'AI' + 'za'}Sy{_R}x", _R),
    (f"mail by {'SG' + '.'}{_R[:22]}.{_R}abc", _R),
    (f"//registry.npmjs.org/:_authToken={'np' + 'm_'}{_R}abcd", _R),
    (f"login {'hf' + '_'}{_R}", _R),
    (f"Authorization: Bearer {_R}", _R),
    (
        f"cookie {'ey' + 'J'}hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
        "dozjgNryP4J3jVmNHl0w5N",
    ),
    (
        f"-----BEGIN {'RSA'} PRIVATE KEY-----\nMIIEowIBAAKCAQEA7bq\nq2w3e4r5\n-----END RSA PRIVATE KEY-----",
        "MIIEowIBAAKCAQEA7bq",
    ),
    (f"-----BEGIN {'OPENSSH'} PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAA", "b3BlbnNzaC1rZXktdjEAAAA"),
    ("q2w3e4r5t6z7u8i9\nAQABMIIEowIB\n-----END PRIVATE KEY-----", "q2w3e4r5t6z7u8i9"),
    ("password=hunter2secret", "hunter2secret"),
    ("DB_PASSWORD = 'Tr0ub4dor&3'", "Tr0ub4dor&3"),
    ('{"password": "c0rrect-horse"}', "c0rrect-horse"),
    ("Passwort: Gartenzaun-77", "Gartenzaun-77"),
    ("contraseña: Verano2024!", "Verano2024!"),
    ("api_key: 9f8e7d6c5b4a", "9f8e7d6c5b4a"),
    ("client_secret=zzTop-1973-x", "zzTop-1973-x"),
    ("postgres://app:s3cr3tpw@db.internal:5432/app", "s3cr3tpw"),
    ("Card 4111 1111 1111 1111, exp 12/29", "4111 1111 1111 1111"),
    ("paid with 5555555555554444.", "5555555555554444"),
    ("Amex 3782-822463-10005", "3782-822463-10005"),
    ("6011111111111117 (Discover)", "6011111111111117"),
    ("JCB 3530111333300000", "3530111333300000"),
    ("Diners 30569309025904", "30569309025904"),
    ("IBAN DE89 3704 0044 0532 0130 00 BIC COBADEFF", "3704 0044 0532"),
    ("Pay to GB29NWBK60161331926819 until Friday", "NWBK60161331926819"),
    ("FR14 2004 1010 0505 0001 3M02 606", "2004 1010 0505"),
    ("ES91 2100 0418 4502 0005 1332", "2100 0418 4502"),
    ("NL91ABNA0417164300", "ABNA0417164300"),
    ("Steuer-ID: 86 095 742 719", "86 095 742 719"),
    ("tax id 65929970489 of the tenant", "65929970489"),
    ("DNI 12345678Z", "12345678Z"),
    ("NIE X1234567L, Madrid", "X1234567L"),
    ("National Insurance AB 12 34 56 C", "AB 12 34 56 C"),
    ("NINO: JG121316A", "JG121316A"),
    ("SSN 219-09-9999 of the applicant", "219-09-9999"),
    ("Her social security number is 457-55-5462.", "457-55-5462"),
    # Beyond what can be told without understanding the sentence.
    ("The password of the guest account is sunflower.", "sunflower"),
)

HARMLESS: tuple[str, ...] = (
    "Call +49 30 901820 or 0171 2345678 during the day.",
    "ISBN 978-3-16-148410-0 is in the library.",
    "Order 4111 1111 1111 1112 was shipped.",  # not a card: the checksum is wrong
    "Invoice 1234567890123456, 12 pieces.",
    "The year 2023 saw 1,234,567,890 requests; 99.95 % were answered.",
    "DE89 3704 0044 0532 0130 01 has a wrong check digit.",
    "The commit 3c95ff812f1e2d4c5b6a798877665544332211aa fixed it.",
    "sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "UUID 01a203c3-4d66-7096-be62-c47fc0e9feed",
    "Password: required. Choose a long one.",
    "password=<your password>",
    "PASSWORD=${DB_PASSWORD}",
    "secret: the recipe of the sauce",
    "The secret of success is patience; the key: practice.",
    "token = next(tokens)",
    "A bearer of bad news came at noon.",
    "api_key=None",
    "password: ********",
    "192.168.100.200:8080 and 10.0.0.1 answer.",
    "Coordinates 52.520008, 13.404954 near the tower.",
    "2026-11-27 09:21:17 and 20261127092117 are the same second.",
    "12345678A is no DNI: its letter would be Z.",
    "Part 219-09-9999 is out of stock.",
    "BG123456A is no insurance number.",
    "The tenant's number is 12345678901.",
    "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkq\n-----END CERTIFICATE-----",
    "https://example.org/path:with@sign and user@example.org",
    "sk-learn is a library; sk-estimators follow its interface.",
    "Version 4.111.111.1111 of the firmware",
    "Der Schlüssel: unter der Matte, wie immer.",
    "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16",
    "Pi is 3.14159265358979323846.",
    "The eyJ prefix begins a token.",
    "Temperature 21 22 23 24 25 26 27 28 degrees in a row.",
    "ASIA and AKIA are prefixes of access keys.",
    "搜索引擎把文件分成段落。13800138000 是电话。",
)  # fmt: skip
