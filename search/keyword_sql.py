"""A search as SQL: fixed texts with places for a scope's conditions and for parameters.

For `search.keywords`, which fills them in. A passage is one number here, as in `search.passages`.
"""

from __future__ import annotations

# Counted in each search, or, for an owner of very many files, given.
COUNTED = """
    SELECT sum(n)::float8 AS n, sum(total)::float8 / NULLIF(sum(n), 0) AS mean,
           array_agg(configuration) AS configurations
    FROM (SELECT configuration, sum(chunk_count) AS n, sum(lexeme_count) AS total
          FROM search_indexedfile WHERE {files} GROUP BY configuration) g
"""
KNOWN = "SELECT %(n)s::float8 AS n, %(mean)s::float8 AS mean, %(configurations)s::varchar[] AS configurations"
# Both sides of a search in one statement: what the words find, what is nearest, and for each what only the other found
# its score on this side. Each step is shaped by what it costs at a hundred thousand passages: postings are read once; a
# word's weight is looked up per posting, not per passage (OFFSET 0 keeps it there, and leaves the planner an estimate
# with which it groups by hash instead of sorting); no number is a numeric; the scores are read once, for the best ones
# and for those of the nearest passages; a passage is one number (document, block and ordinal). `slope` is what a
# passage's length weighs. Passages are never grouped in great numbers by that one number: PostgreSQL's hash of
# a bigint folds its halves, which puts passages of many documents on one value, and its hash tables then take minutes.
HYBRID = """
WITH near AS MATERIALIZED (
    {near}
), counted AS MATERIALIZED (
    {stats}
), stats AS MATERIALIZED (
    SELECT n, configurations, %(k1)s::float8 * %(b)s::float8 / coalesce(NULLIF(mean, 0), 1) AS slope FROM counted
), terms AS MATERIALIZED (
    SELECT * FROM unnest(%(numbers)s::int[], %(lexemes)s::text[], %(times)s::int[], %(bits)s::bigint[])
        AS t (term, lexeme, times, bit)
), postings AS MATERIALIZED (
    SELECT lexeme, (document_id << 24) + (block::bigint << 10) AS base, postings
    FROM search_keywordposting WHERE {documents} AND lexeme = ANY(%(read)s::text[])
), frequencies AS MATERIALIZED (
    SELECT lexeme, sum(cardinality(postings)) AS passages FROM postings GROUP BY lexeme
), found_terms AS (
    SELECT t.term, least(sum(p.passages)::float8, (SELECT n FROM stats)) AS passages
    FROM (SELECT lexeme, passages FROM frequencies {known}) p JOIN terms t USING (lexeme)
    GROUP BY t.term
), weights AS MATERIALIZED (
    SELECT t.lexeme, bit_or(t.bit) AS bits,
           sum(t.times * (%(k1)s::float8 + 1) * ln(1 + (s.n - f.passages + 0.5) / (f.passages + 0.5))) AS weight
    FROM found_terms f JOIN terms t USING (term) CROSS JOIN stats s GROUP BY t.lexeme
), weighted AS (
    SELECT p.base, p.postings, (SELECT w.weight FROM weights w WHERE w.lexeme = p.lexeme) AS weight {bits}
    FROM postings p OFFSET 0
), found AS (
    SELECT base, weight, unnest(postings) AS posting {bits_column} FROM weighted
), scored AS MATERIALIZED (
    SELECT base + ordinal AS passage,
           sum(weight * times / (times + length + %(k1)s::float8 * (1 - %(b)s::float8))) AS score
    FROM (
        SELECT base, posting >> 21 AS ordinal, weight, ((posting >> 15) & 63) AS times,
               (posting & 32767) * (SELECT slope FROM stats) AS length {bits_column}
        FROM found
    ) AS parts {excluded} GROUP BY base, ordinal {having}
){more}, ranked AS MATERIALIZED (
    SELECT passage, score, row_number() OVER (ORDER BY score DESC, passage) <= %(limit)s AS worded FROM (
        SELECT passage, score FROM {source}
        ORDER BY passage IN (SELECT passage FROM near) DESC, score DESC, passage
        LIMIT %(limit)s + (SELECT count(*) FROM near)
    ) AS best
)
SELECT 'passage', coalesce(n.passage, r.passage) AS passage,
       coalesce(n.cosine, {cosine}), coalesce(r.score, 0), n.passage IS NOT NULL, coalesce(r.worded, false), NULL
FROM near n FULL JOIN (SELECT * FROM ranked WHERE worded OR passage IN (SELECT passage FROM near)) r USING (passage)
UNION ALL
SELECT 'term', 0, 0, weight, false, false, lexeme FROM weights
UNION ALL
SELECT 'configuration', 0, 0, 0, false, false, unnest(configurations) FROM stats
UNION ALL
SELECT 'name', number, 0, 0, false, false, name FROM ({names}) AS names
"""
# How many passages have each of some words, for `search.frequencies`: a fifth of the time of adding up their scores.
FREQUENCIES = """
SELECT lexeme, sum(cardinality(postings)) FROM search_keywordposting
WHERE owner_id = %(owner)s AND lexeme = ANY(%(lexemes)s::text[]) GROUP BY lexeme
"""
KNOWN_COUNTS = "UNION ALL SELECT * FROM unnest(%(deferred)s::text[], %(deferred_passages)s::numeric[])"
# Words that were left for later are added to the scores of the best passages so far and of the nearest ones. OFFSET 0:
# their rows are read once; the planner would read the index again for each of the documents.
DEFERRED = """, considered AS MATERIALIZED (
    SELECT passage, coalesce(s.score, 0) AS score FROM (
        SELECT passage, score FROM scored ORDER BY passage IN (SELECT passage FROM near) DESC, score DESC, passage
        LIMIT %(considered)s + (SELECT count(*) FROM near)
    ) s FULL JOIN near USING (passage)
), later AS MATERIALIZED (
    SELECT base + (posting >> 21) AS passage, weight * ((posting >> 15) & 63)
           / (((posting >> 15) & 63) + (posting & 32767) * (SELECT slope FROM stats)
              + %(k1)s::float8 * (1 - %(b)s::float8)) AS score
    FROM (
        SELECT (document_id << 24) + (block::bigint << 10) AS base, unnest(postings) AS posting,
               (SELECT w.weight FROM weights w WHERE w.lexeme = p.lexeme) AS weight
        FROM (
            SELECT * FROM search_keywordposting WHERE {documents} AND lexeme = ANY(%(deferred)s::text[]) OFFSET 0
        ) p WHERE document_id IN (SELECT passage >> 24 FROM considered)
    ) AS found
), completed AS MATERIALIZED (
    SELECT passage, c.score + coalesce(l.score, 0) AS score
    FROM considered c LEFT JOIN (
        SELECT passage, sum(score) AS score FROM later WHERE passage IN (SELECT passage FROM considered)
        GROUP BY passage, passage & 16777215
    ) l USING (passage)
    WHERE c.score + coalesce(l.score, 0) > 0
)"""
# A passage that only the words found; its vector is looked up by its key.
COSINE = """(
    SELECT -(e.embedding <#> %(vector)s::halfvec) FROM search_chunkembedding e
    WHERE e.space_id = %(space)s AND e.owner_id = %(owner)s
      AND e.document_id = r.passage >> 24 AND e.ordinal = r.passage & 16777215)"""
COSINES = """
SELECT (e.document_id << 24) + e.ordinal, -(e.embedding <#> %(vector)s::halfvec)
FROM unnest(%(passages)s::bigint[]) AS p (passage) JOIN search_chunkembedding e
  ON e.document_id = p.passage >> 24 AND e.ordinal = (p.passage & 16777215)
WHERE e.space_id = %(space)s AND e.owner_id = %(owner)s
"""
# A file that the question names brings its first passage, and all of its passages rise by a share of the best score.
NAMED = """, named AS MATERIALIZED (
    SELECT * FROM unnest(%(documents)s::bigint[], %(shares)s::float8[]) AS n (document, share)
), raised AS MATERIALIZED (
    SELECT s.passage, sum(s.score) + coalesce((SELECT n.share FROM named n WHERE n.document = s.passage >> 24), 0)
                      * coalesce((SELECT max(score) FROM scored), 1) AS score
    FROM (SELECT passage, score FROM scored UNION ALL SELECT document << 24, 0 FROM named) s
    GROUP BY s.passage, s.passage >> 24, s.passage & 16777215
)"""
EXCLUDED = """
WHERE (base, ordinal) NOT IN (
    SELECT (document_id << 24) + (block::bigint << 10), unnest(postings) >> 21
    FROM search_keywordposting WHERE {documents} AND lexeme = ANY(%(excluded)s))
"""
# Which of some passages have one of some words.
HOLDING = """
SELECT (document_id << 24) + (block::bigint << 10) + (posting >> 21) AS passage
FROM search_keywordposting CROSS JOIN LATERAL unnest(postings) AS posting
WHERE {documents} AND lexeme = ANY(%(excluded)s) AND document_id = ANY(%(among)s)
"""
# The prefix of a word, to the lexemes that start with it.
EXPANSIONS = """
SELECT DISTINCT lexeme FROM search_keywordposting
WHERE owner_id = %(owner)s AND lexeme >= %(first)s AND lexeme < %(last)s LIMIT %(limit)s
"""
# Of passages that must have several words: which of these words a lexeme stands for, as bits.
BITS = ", (SELECT w.bits FROM weights w WHERE w.lexeme = p.lexeme) AS bits"
HAVING = "HAVING bit_or(bits) & (SELECT bit_or(bit) FROM terms) = (SELECT bit_or(bit) FROM terms)"
# Looks into texts, for what no index has: words that a language does not count.
SCAN = """
SELECT (number << 24) + ordinal FROM (
    SELECT d.number, c.ordinal, c.text
    FROM (SELECT number, file_id FROM search_indexedfile WHERE {files}) d
    JOIN search_vectorchunk c USING (file_id) WHERE NOT c.disabled LIMIT %(most)s
) c WHERE text ~* ALL(%(patterns)s) LIMIT %(limit)s
"""
TEXTS = """
SELECT (d.number << 24) + c.ordinal, c.text
FROM unnest(%(passages)s::bigint[]) AS p (passage)
JOIN search_indexedfile d ON d.number = p.passage >> 24 AND d.owner_id = %(owner)s
JOIN search_vectorchunk c ON c.file_id = d.file_id AND c.ordinal = (p.passage & 16777215)
"""
NO_NAMES = "SELECT 0::bigint AS number, '' AS name WHERE false"
