from django.db import migrations, models

# An index on the grid becomes the number of the chunk's first byte; uploads learn how much they have.
FORWARDS = """
UPDATE files_uploadchunk c SET start = c.index::bigint * u.chunk_size FROM files_upload u WHERE u.id = c.upload_id;
UPDATE files_upload u SET received = CASE WHEN completed_at IS NOT NULL THEN size ELSE COALESCE(
    (SELECT sum(c.size) FROM files_uploadchunk c WHERE c.upload_id = u.id), 0) END;
"""
# What was filled by offset does not lie on the grid, and is sent again.
BACKWARDS = """
DELETE FROM files_uploadchunk c USING files_upload u WHERE u.id = c.upload_id AND u.by_offset;
UPDATE files_uploadchunk c SET index = c.start / u.chunk_size FROM files_upload u WHERE u.id = c.upload_id;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('files', '0007_interruptions'),
    ]

    operations = [
        migrations.AddField(
            model_name='upload',
            name='by_offset',
            field=models.BooleanField(default=False, help_text='Filled from start to end, not chunk by chunk.'),
        ),
        migrations.AddField(
            model_name='upload',
            name='client_metadata',
            field=models.TextField(blank=True, help_text='What the client said about the file, as it wrote it.'),
        ),
        migrations.AddField(
            model_name='upload',
            name='received',
            field=models.PositiveBigIntegerField(default=0, help_text='Durable bytes; filled by offset, also the offset.'),
        ),
        migrations.AddField(
            model_name='upload',
            name='writer',
            field=models.PositiveBigIntegerField(default=0, help_text='Grows with each request that appends, or stops one.'),
        ),
        migrations.AddField(
            model_name='uploadchunk',
            name='start',
            field=models.PositiveBigIntegerField(default=0),
            preserve_default=False,
        ),
        migrations.RemoveConstraint(
            model_name='uploadchunk',
            name='one_row_per_chunk',
        ),
        migrations.RunSQL(FORWARDS, BACKWARDS),
        migrations.AddConstraint(
            model_name='uploadchunk',
            constraint=models.UniqueConstraint(fields=('upload', 'start'), name='one_row_per_start'),
        ),
        # With a default, so that the way back can make the column before it fills it.
        migrations.AlterField(
            model_name='uploadchunk',
            name='index',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.RemoveField(
            model_name='uploadchunk',
            name='index',
        ),
    ]
