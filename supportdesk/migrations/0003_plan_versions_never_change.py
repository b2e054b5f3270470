"""What was promised once stays readable: a saved plan version is never rewritten and never deleted (domain §1.1)."""

from django.db import migrations

FORWARD = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON supportdesk_planversion
    FOR EACH ROW EXECUTE FUNCTION supportdesk_append_only();
"""
BACKWARD = "DROP TRIGGER append_only ON supportdesk_planversion;"


class Migration(migrations.Migration):
    dependencies = [("supportdesk", "0002_foundations")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
