import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("rotations", "0004_people_and_hand_offs"),
    ]

    operations = [
        migrations.CreateModel(
            name="GapPage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("start", models.DateTimeField()),
                ("end", models.DateTimeField(null=True)),
                ("paged_at", models.DateTimeField()),
                (
                    "schedule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="gap_pages", to="rotations.schedule"
                    ),
                ),
            ],
        ),
    ]
