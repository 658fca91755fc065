"""Small words of the languages that `follow_ups` knows: those without content, and those that point back. Data.

A word is in one language's list, not in all of them: "die" and "war" say nothing in German and much in English.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SmallWords:
    """A language's words that say nothing of a question's subject, which of them point back, how a question goes on."""

    function: frozenset[str]
    pointing: frozenset[str]
    going_on: tuple[str, ...]


def _small_words(function: str, pointing: str, going_on: tuple[str, ...]) -> SmallWords:
    return SmallWords(frozenset(f"{function} {pointing}".split()), frozenset(pointing.split()), going_on)


LANGUAGES = (
    _small_words(
        "a about again all also am an and any are as at be been being but by can could did do does doing done"
        " else for from had has have how i if in into is just many may me might more most much must my no not now"
        " of on one ones or other our please s shall should so some still t tell than that the then there to too u"
        " up us very was we were what when where which while who whom whose why will with would you your",
        "he her hers him his it its itself she their theirs them these they this those",
        ("and", "or", "but", "what about", "how about", "why", "so"),
    ),
    _small_words(
        "aber alle als also am an auch auf aus bei beim bin bis bist bitte da dann das dass dein dem den denn der"
        " des die doch du durch ein eine einem einen einer eines es etwa für gegen gibt habe haben hat hatte hier"
        " hinter ich ihr im in ist ja jetzt kann kannst kein keine können man mehr mein mich mir mit nach nein"
        " nicht noch nun nur ob oder ohne sehr sein seine sich sind so soll sollte um und uns unser unter viel"
        " viele vom von vor wann war waren warum was weil welche welchem welchen welcher welches wenn wer werden"
        " wessen wie wieder wieso wieviel will wir wird wo woher wohin worden wurde wurden zu zum zur über",
        "dabei dadurch dafür dagegen daher damit danach daneben daran darauf daraus darin darum darüber davon"
        " davor dazu deren dessen diese diesem diesen dieser dieses er ihm ihn ihnen ihre ihrem ihren ihrer jene"
        " jener sie",
        ("und", "oder", "aber", "wie sieht es mit", "was ist mit", "warum", "wieso"),
    ),
    _small_words(
        "a al algo alguna alguno ante antes aquí así aun aún bajo bien cada como con cual cuales cuando cuanta"
        " cuantas cuanto cuantos cuál cuáles cuándo cuánta cuántas cuánto cuántos cómo de del desde donde dónde e"
        " el en entre era eran es estaba estar está están fue fueron ha haber había hace hacen hacer hacia han"
        " hasta hay la las lo los me mi mis muy más nada ni no nos o para pero por porque puede pueden puedo que"
        " quien quienes quién qué se ser será si sido sin sobre son soy sí también tan tanto te tiene tienen todo"
        " todos tu un una unas uno unos y ya yo",
        "aquel aquella aquello aquellos ella ellas ello ellos esa esas ese eso esos esta estas este esto estos le"
        " les mismo su sus suya suyo él",
        ("y", "e", "o", "pero", "qué hay de", "qué pasa con", "por qué"),
    ),
)
"""English, German, Spanish."""

CHINESE_POINTING = ("它们", "他们", "她们", "这些", "那些", "这个", "那个", "其中", "它", "他", "她", "这", "那", "其")
CHINESE_GOING_ON = ("那么", "还有", "那", "而", "为什么", "为何")
CHINESE_FUNCTION = (
    *("什么时候", "为什么", "怎么样", "多少", "什么", "怎么", "怎样", "如何", "哪里", "哪儿", "哪些", "哪个"),
    *("为何", "是否", "那么", "还有", "请问", "告诉", "我们", "你们", "可以", "应该"),
    *("谁", "哪", "几", "吗", "呢", "吧", "啊", "的", "了", "着", "是", "在", "有", "和", "与", "或", "就"),
    *("都", "也", "还", "会", "能", "要", "请", "我", "你", "对", "从", "到", "被", "把"),
)
"""Chinese is written without spaces: its small words are cut out of a run of characters."""
