from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("incidents", "0008_status_pages"),
    ]

    operations = [
        migrations.AddField(
            model_name="page",
            name="kept_until",
            field=models.DateTimeField(
                help_text="the end of their quiet hours, if it waits for it (ESC-15)", null=True
            ),
        ),
    ]
