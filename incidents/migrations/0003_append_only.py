"""The timeline and the clock ledger are evidence: nobody rewrites them, not even us."""

from django.db import migrations

TABLES = ("incidents_timelineentry", "incidents_clockevent")
FORWARD = "\n".join(
    f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION supportdesk_append_only();"
    for table in TABLES
)
BACKWARD = "\n".join(f"DROP TRIGGER append_only ON {table};" for table in TABLES)


class Migration(migrations.Migration):
    dependencies = [("incidents", "0002_initial"), ("supportdesk", "0002_foundations")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
