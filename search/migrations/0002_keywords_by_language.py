"""Postings get narrower rows and each file the configuration that its words were stemmed by.

Postings that exist are repacked as they are, so that their files stay findable; `manage.py rebuild_keywords` makes them
again with what is new: the file's own language, identifiers, pairs of characters.
"""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from search.indexing.languages import lexeme_prefix

# No primary key, on purpose: see the model.
_CREATE = """
CREATE TABLE search_keywordposting_packed (
    owner_id uuid NOT NULL,
    document_id bigint NOT NULL,
    block smallint NOT NULL,
    lexeme text COLLATE "C" NOT NULL,
    postings integer[] NOT NULL
)
"""
_REPACK = """
INSERT INTO search_keywordposting_packed (owner_id, document_id, block, lexeme, postings)
SELECT p.owner_id, d.number, o.ordinal / 1024, CASE WHEN p.lexeme ~ '^[[:alpha:]]+$' THEN %s ELSE '' END || p.lexeme,
       array_agg(((o.ordinal %% 1024) << 21) | (least(o.tf, 63) << 15) | least(o.length, 32767) ORDER BY o.ordinal)
FROM search_keywordposting p
JOIN search_indexedfile d ON d.file_id = p.file_id
CROSS JOIN LATERAL unnest(p.ordinals, p.frequencies, p.lengths) AS o (ordinal, tf, length)
GROUP BY p.owner_id, d.number, o.ordinal / 1024, p.lexeme
"""
_SWAP = """
DROP TABLE search_keywordposting;
ALTER TABLE search_keywordposting_packed RENAME TO search_keywordposting;
CREATE INDEX posting_by_owner_lexeme ON search_keywordposting (owner_id, lexeme);
CREATE INDEX posting_by_document ON search_keywordposting (document_id);
"""


def repack(apps, schema_editor):
    """Carry the postings over, in SQL: a large installation has hundreds of millions."""
    configuration = settings.TEXT_SEARCH_CONFIG
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("UPDATE search_indexedfile SET configuration = %s", [configuration])
        cursor.execute(_CREATE)
        cursor.execute(_REPACK, [lexeme_prefix(configuration)])
        cursor.execute(_SWAP)


class Migration(migrations.Migration):

    dependencies = [
        ('files', '0001_initial'),
        ('search', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(
            "CREATE SEQUENCE search_indexedfile_number_seq",
            "DROP SEQUENCE search_indexedfile_number_seq",
        ),
        migrations.AddField(
            model_name='indexedfile',
            name='number',
            field=models.BigIntegerField(
                db_default=models.Func(models.Value('search_indexedfile_number_seq'), function='nextval'),
                help_text='Short for its id.', unique=True,
            ),
        ),
        migrations.AddField(
            model_name='indexedfile',
            name='language',
            field=models.CharField(blank=True, default='', help_text='ISO 639-1; empty where it is not known.', max_length=16),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='indexedfile',
            name='configuration',
            field=models.CharField(default='', help_text='The text search configuration that stemmed its words.', max_length=130),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='indexedfile',
            name='analysis',
            field=models.PositiveSmallIntegerField(default=0, help_text='Which version of our analysis made its tokens.'),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.DeleteModel('KeywordPosting'),
                migrations.CreateModel(
                    name='KeywordPosting',
                    fields=[
                        ('pk', models.CompositePrimaryKey('owner', 'lexeme', 'document', 'block', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('block', models.SmallIntegerField()),
                        ('lexeme', models.TextField(db_collation='C')),
                        ('postings', django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=None)),
                        ('document', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='search.indexedfile', to_field='number')),
                        ('owner', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['owner', 'lexeme'], name='posting_by_owner_lexeme')],
                    },
                ),
            ],
        ),
        migrations.RunPython(repack),
        # A question that names a file finds it: see search/file_names.py, which writes the same expression.
        migrations.RunSQL(
            "CREATE INDEX search_file_names ON files_filerecord USING gin "
            "(to_tsvector('simple'::regconfig, translate(name, '_-.', '   ')))",
            "DROP INDEX search_file_names",
        ),
    ]
