"""The queue counts a task's deliveries before the work, and the clock finds what nobody was told of at once."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("supportdesk", "0002_foundations")]

    operations = [
        # broker: django-q2 counts attempts only when a result comes back; a task that kills its worker never has one
        migrations.RunSQL(
            "ALTER TABLE django_q_ormq ADD COLUMN supportdesk_claims smallint NOT NULL DEFAULT 0",
            "ALTER TABLE django_q_ormq DROP COLUMN supportdesk_claims",
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                fields=["due_at"], name="delivery_waiting", condition=Q(state="pending", handed_at__isnull=True)
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                fields=["handed_at"], name="delivery_offered", condition=Q(state="pending", handed_at__isnull=False)
            ),
        ),
    ]
