"""Vectors move into a space of their model, partitioned by owner; a passage is named by document number and ordinal.

The vectors that exist are copied in the order of their owners, so that each owner's lie together.
"""

import django.db.models.deletion
import pgvector.django.halfvec
from django.conf import settings
from django.db import migrations, models

from search import partitions

# Unpartitioned keys: see the model. The type has no dimensions, because each space has its own.
_CREATE = """
ALTER TABLE search_chunkembedding RENAME TO search_chunkembedding_before;
CREATE TABLE search_chunkembedding (
    space_id smallint NOT NULL,
    owner_id uuid NOT NULL,
    document_id bigint NOT NULL,
    ordinal integer NOT NULL,
    embedding halfvec NOT NULL
) PARTITION BY LIST (space_id);
ALTER TABLE search_chunkembedding ALTER COLUMN embedding SET STORAGE PLAIN;
"""
_MODEL = """
SELECT model_id FROM search_indexedfile GROUP BY model_id ORDER BY sum(chunk_count) DESC, model_id LIMIT 1
"""
# Vectors of any other model were never comparable with these; `rebuild_index` makes what is missing.
_COPY = """
INSERT INTO search_chunkembedding (space_id, owner_id, document_id, ordinal, embedding)
SELECT %s, e.owner_id, d.number, c.ordinal, e.embedding
FROM search_chunkembedding_before e
JOIN search_vectorchunk c ON c.id = e.chunk_id
JOIN search_indexedfile d ON d.file_id = c.file_id
WHERE d.model_id = %s ORDER BY e.owner_id, d.number, c.ordinal
"""


def move(apps, schema_editor):
    """Carry the vectors over, in SQL."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(_CREATE)
        cursor.execute(_MODEL)
        if found := cursor.fetchone():
            space = apps.get_model("search", "EmbeddingSpace").objects.create(
                model_id=found[0], dimensions=384, state="active"
            )
            partitions.create(space.pk)
            cursor.execute(_COPY, [space.pk, found[0]])
        cursor.execute("DROP TABLE search_chunkembedding_before")


class Migration(migrations.Migration):

    dependencies = [
        ('search', '0002_keywords_by_language'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='EmbeddingSpace',
            fields=[
                ('id', models.SmallAutoField(primary_key=True, serialize=False)),
                ('model_id', models.CharField(max_length=100)),
                ('dimensions', models.PositiveSmallIntegerField()),
                ('state', models.CharField(choices=[('filling', 'Filling'), ('active', 'Active'), ('retired', 'Retired')], max_length=10)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('retired_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('state__in', ('active', 'filling'))), fields=('state',), name='one_space_per_live_state')],
            },
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.DeleteModel('ChunkEmbedding'),
                migrations.CreateModel(
                    name='ChunkEmbedding',
                    fields=[
                        ('pk', models.CompositePrimaryKey('space', 'owner', 'document', 'ordinal', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('ordinal', models.PositiveIntegerField()),
                        ('embedding', pgvector.django.halfvec.HalfVectorField()),
                        ('document', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='search.indexedfile', to_field='number')),
                        ('owner', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('space', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='search.embeddingspace')),
                    ],
                ),
            ],
        ),
        migrations.RunPython(move),
        migrations.RemoveField(model_name='indexedfile', name='model_id'),
    ]
