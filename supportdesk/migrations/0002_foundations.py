"""What models cannot say: an index for the queue's claim, the shared cache table, and a trail nobody can rewrite."""

from django.db import migrations

APPEND_ONLY = """
CREATE FUNCTION supportdesk_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON supportdesk_auditentry
    FOR EACH ROW EXECUTE FUNCTION supportdesk_append_only();
"""
NOT_APPEND_ONLY = """
DROP TRIGGER append_only ON supportdesk_auditentry;
DROP FUNCTION supportdesk_append_only();
"""
CACHE = """
CREATE TABLE supportdesk_cache (cache_key varchar(255) PRIMARY KEY, value text NOT NULL, expires timestamptz NOT NULL);
CREATE INDEX supportdesk_cache_expires ON supportdesk_cache (expires);
"""


class Migration(migrations.Migration):
    dependencies = [("supportdesk", "0001_initial"), ("django_q", "0019_alter_task_options_alter_ormq_key_alter_ormq_lock_and_more")]

    operations = [
        # broker: the claim orders by lock within a queue; without this it reads the whole backlog (docs/reliability.md)
        migrations.RunSQL(
            "CREATE INDEX supportdesk_ormq_claim ON django_q_ormq (key, lock)", "DROP INDEX supportdesk_ormq_claim"
        ),
        migrations.RunSQL(CACHE, "DROP TABLE supportdesk_cache"),
        migrations.RunSQL(APPEND_ONLY, NOT_APPEND_ONLY),
    ]
