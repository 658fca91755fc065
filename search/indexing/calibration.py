"""Measures what goes into each matrix of the packaged model, over texts made here, for `int8_graph`.

The texts are written for this and are none of those that the outcome is checked on: prose of many fields, other
languages and scripts, tables, code, addresses, in lengths from a word to the whole window.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from search.indexing.embedding import EmbeddingModelUnavailable
from search.indexing.int8_graph import Range, watched_graph
from search.indexing.packaged_model import PackagedTokenizer

if TYPE_CHECKING:
    from search.indexing.bert_graph import BertShape, Weights
    from search.indexing.packaged_model import ModelFiles

_TEXTS = 64
_LONGEST = 12  # sentences: more than the window holds
_SENTENCES = (
    "The tenant shall give notice in writing at least three months before the end of the term.",
    "Who signed the agreement, and when does it expire?",
    "Net sales rose by 7.3 % to EUR 1,284.6 million, while the operating margin fell to 11.2 %.",
    "Patients who received the higher dose had fewer relapses within 24 weeks (hazard ratio 0.61, p = 0.004).",
    "Ribosomes read messenger RNA and join amino acids into proteins.",
    "The boundary layer separates from the wing when the angle of attack exceeds 15 degrees.",
    "for (let i = 0; i < rows.length; i++) { total += rows[i].price * rows[i].count; }",
    "def mean(values: list[float]) -> float: return sum(values) / len(values)",
    "SELECT name, count(*) FROM orders WHERE placed >= '2024-01-01' GROUP BY name ORDER BY 2 DESC;",
    "| part | stock | price |\n|---|---|---|\n| M8 bolt | 1,400 | 0.12 |\n| washer | 320 | 0.03 |",
    "From: office@example.org  Subject: Minutes of 14 March  See attached, and please reply by Friday!",
    "Traceback (most recent call last): FileNotFoundError: [Errno 2] No such file or directory: '/etc/app.conf'",
    "La asamblea aprobó el presupuesto por mayoría y fijó la próxima reunión para el 3 de mayo.",
    "Die Anlage ist vor jeder Wartung vom Netz zu trennen und gegen Wiedereinschalten zu sichern.",
    "Le contrat prend effet à la date de signature et se renouvelle par tacite reconduction.",
    "O relatório descreve a qualidade da água em doze estações ao longo do rio.",
    "Umowa może zostać rozwiązana za porozumieniem stron w każdym czasie.",
    "Договор вступает в силу с момента подписания обеими сторонами.",
    "这份报告说明了去年各季度的销售额和利润。",
    "会議の議事録は来週までに全員に送られます。",
    "تم توقيع الاتفاقية في القاهرة بحضور ممثلي الطرفين.",
    "बैठक की अगली तारीख सोमवार को तय की जाएगी।",
    "She closed the door softly, listened to the rain for a while, and began to write the letter.",
    "A pinch of salt, two eggs, 200 g of flour; bake at 180 °C until golden.",
    "ERROR 2023-11-02T08:14:55Z worker-3 timeout after 30000 ms (attempt 2 of 5)",
    "Chapter 4. Of the causes which led the council to refuse the king's second offer",
    "The court held that the clause was void, since the consumer had not been told of it beforehand.",
    "Photosynthesis stores the energy of light in sugar; respiration sets it free again.",
    "Interest is compounded monthly at an annual rate of 4.75 %, over a term of 25 years.",
    "https://example.com/guides/install?os=linux&version=2.4#step-3",
    "x^2 + y^2 = r^2, hence dy/dx = -x/y wherever y is not 0.",
    "The glacier has lost a third of its length since 1950, mostly in the last two decades.",
    "Goal! In the 89th minute the substitute headed the ball past the keeper, and the stadium shook.",
    "invoice 2024-00817   due 30 days net   VAT 19 %   total 3.451,20 €",
    "Yes.",
    "!!! ??? ... --- *** ### 42",
)


def calibration_texts() -> list[str]:
    """Return the texts, the same ones in each run: from one sentence alone to more than the window holds."""
    chance = random.Random(20)  # noqa: S311  # not a secret: it mixes sentences
    mixed = [" ".join(chance.sample(_SENTENCES, 2 + n % (_LONGEST - 1))) for n in range(_TEXTS - len(_SENTENCES))]
    return [*_SENTENCES, *mixed]


def measured_ranges(files: ModelFiles, weights: Weights, shape: BertShape) -> dict[str, Range]:
    """Run the fp32 model over the texts and return the range of each input. Raises EmbeddingModelUnavailable."""
    try:
        import onnxruntime
    except ImportError as error:
        raise EmbeddingModelUnavailable("ONNX Runtime is not installed; the int8 model is prepared by it.") from error
    import numpy as np

    model, watched = watched_graph(weights, shape)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    ranges: dict[str, Range] = {}
    for encoding in PackagedTokenizer(files).encode(calibration_texts()):
        ids = np.array([encoding.ids], np.int64)
        outputs = session.run(list(watched.values()), {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        for source, values in zip(watched, outputs, strict=True):
            found = Range(values.min(axis=(0, 1)), values.max(axis=(0, 1)))
            ranges[source] = ranges[source].joined(found) if source in ranges else found
    return ranges
