"""The queue knows which process group holds a claimed task: what a killed cluster held is offered again at once."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("supportdesk", "0004_auditor_and_limits")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE django_q_ormq ADD COLUMN supportdesk_holder text NOT NULL DEFAULT ''",
            "ALTER TABLE django_q_ormq DROP COLUMN supportdesk_holder",
        ),
    ]
