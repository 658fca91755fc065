import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('files', '0004_storage'),
    ]

    operations = [
        migrations.CreateModel(
            name='MultipartUpload',
            fields=[
                ('upload', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='multipart', serialize=False, to='files.upload')),
                ('multipart_id', models.TextField(help_text='As the server named it.')),
            ],
        ),
        migrations.CreateModel(
            name='UploadPiece',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('start', models.PositiveBigIntegerField()),
                ('size', models.PositiveBigIntegerField()),
                ('part', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('mark', models.CharField(max_length=255)),
                ('upload', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='pieces', to='files.upload')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('part', None)), fields=['mark'], name='staged_piece')],
                'constraints': [models.UniqueConstraint(fields=('upload', 'start'), name='one_piece_per_start')],
            },
        ),
    ]
