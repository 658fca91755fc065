import django.db.models.deletion
import django.db.models.functions.datetime
import orchestra.common.identifiers
from django.conf import settings
from django.db import migrations, models

# OR REPLACE: a restore takes the tables away and migrates again, and a function stays.
_KEEP = """
CREATE OR REPLACE FUNCTION search_audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the record of searches is only written to' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER search_audit_stays BEFORE UPDATE OR DELETE ON search_searchaudit
    FOR EACH ROW EXECUTE FUNCTION search_audit_stays();
"""
_FORGET = """
DROP TRIGGER search_audit_stays ON search_searchaudit;
DROP FUNCTION search_audit_stays();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('search', '0007_shelves'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='SearchAudit',
            fields=[
                ('id', models.UUIDField(default=orchestra.common.identifiers.new_id, editable=False, primary_key=True, serialize=False)),
                ('mode', models.CharField(max_length=20)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('user', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('-created_at',),
                'permissions': (('search_uncensored', 'Can search without the content filter'),),
            },
        ),
        migrations.RunSQL(_KEEP, _FORGET),
    ]
