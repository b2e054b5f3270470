import supportdesk.accounts.models
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("supportdesk", "0008_message_texts_and_languages"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="holiday_region",
            field=models.CharField(
                blank=True,
                default="",
                help_text="A country, or a part of one, like DE or DE-BE. The report on fairness counts on-call hours on them.",
                max_length=20,
                validators=[supportdesk.accounts.models.validate_region],
                verbose_name="public holidays of",
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="user",
            name="quiet_from",
            field=models.TimeField(
                blank=True, help_text="by their own clock; empty: no quiet hours (ESC-15)", null=True
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="quiet_until",
            field=models.TimeField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("quiet_from__isnull", True), ("quiet_until__isnull", True)),
                    models.Q(("quiet_from__isnull", False), ("quiet_until__isnull", False)),
                    _connector="OR",
                ),
                name="user_quiet_hours_whole",
                violation_error_message="Give both ends of the quiet hours, or neither.",
            ),
        ),
    ]
