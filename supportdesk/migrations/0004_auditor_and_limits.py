"""The auditor's memory, and what all processes know of a vendor: its breaker, its bucket, its calls."""

import datetime
import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('supportdesk', '0003_plan_versions_never_change'),
        ('supportdesk', '0003_queue_claims'),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(db_index=True)),
                ('duration_ms', models.PositiveIntegerField()),
                ('ok', models.BooleanField()),
                ('failed', models.JSONField(default=list, help_text='names of the invariants that do not hold')),
                ('timings', models.JSONField(default=dict, help_text='milliseconds by invariant')),
                ('version', models.CharField(max_length=40)),
            ],
            options={
                'ordering': ['-at'],
            },
        ),
        migrations.CreateModel(
            name='Breaker',
            fields=[
                ('connection', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='breaker', serialize=False, to='supportdesk.connection')),
                ('failures', models.PositiveIntegerField(default=0, help_text='in a row')),
                ('open_until', models.DateTimeField(help_text='nobody tries before; empty: closed', null=True)),
                ('asked_until', models.DateTimeField(help_text='the vendor asked us to wait until then', null=True)),
                ('error', models.TextField(blank=True)),
                ('changed_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Budget',
            fields=[
                ('connection', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='budget', serialize=False, to='supportdesk.connection')),
                ('left', models.FloatField()),
                ('at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='AuditPause',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('since', models.DateTimeField()),
                ('until', models.DateTimeField()),
                ('reason', models.CharField(max_length=200)),
                ('by', models.CharField(max_length=120)),
            ],
            options={
                'ordering': ['-since'],
                'constraints': [models.CheckConstraint(condition=models.Q(('until__gt', models.F('since')), ('until__lte', django.db.models.expressions.CombinedExpression(models.F('since'), '+', models.Value(datetime.timedelta(seconds=14400))))), name='audit_pause_ends'), models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='audit_pause_has_a_reason')],
            },
        ),
        migrations.CreateModel(
            name='Finding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('invariant', models.CharField(max_length=60)),
                ('level', models.CharField(choices=[('alarm', 'somebody is told at once'), ('warning', 'shown, nobody is woken')], default='alarm', max_length=10)),
                ('title', models.CharField(max_length=200)),
                ('detail', models.TextField(blank=True)),
                ('remedy', models.TextField(blank=True)),
                ('count', models.PositiveIntegerField(default=1)),
                ('since', models.DateTimeField()),
                ('seen_at', models.DateTimeField()),
                ('cleared_at', models.DateTimeField(null=True)),
                ('mended_at', models.DateTimeField(help_text='when the auditor tried to put it right, once', null=True)),
                ('alarmed_at', models.DateTimeField(null=True)),
            ],
            options={
                'ordering': ['-since'],
                'indexes': [models.Index(fields=['-since'], name='finding_since')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('cleared_at__isnull', True)), fields=('invariant',), name='finding_open_once')],
            },
        ),
        migrations.CreateModel(
            name='Tally',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60)),
                ('labels', models.JSONField(default=dict)),
                ('buckets', models.JSONField(default=list, help_text='how many were at most so long, by bound')),
                ('count', models.BigIntegerField(default=0)),
                ('total', models.FloatField(default=0.0)),
            ],
            options={
                'verbose_name_plural': 'tallies',
                'constraints': [models.UniqueConstraint(fields=('name', 'labels'), name='tally_once')],
            },
        ),
        migrations.CreateModel(
            name='VendorCall',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('vendor', models.CharField(max_length=30)),
                ('lane', models.CharField(max_length=20)),
                ('at', models.DateTimeField()),
                ('outcome', models.CharField(choices=[('ok', 'accepted'), ('failed', 'no answer, or an error of theirs'), ('asked_to_wait', 'asked us to come back later'), ('refused', 'refused for good')], max_length=14)),
                ('seconds', models.FloatField(help_text='how long the vendor took')),
                ('due_to_claimed', models.FloatField(help_text='seconds until the clock had it; first tries only', null=True)),
                ('claimed_to_sent', models.FloatField(help_text='seconds from there until it was out; first tries only', null=True)),
                ('is_counted', models.BooleanField(default=False)),
                ('connection', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='supportdesk.connection')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('is_counted', False)), fields=['id'], name='vendor_call_uncounted'), models.Index(fields=['at'], name='vendor_call_at')],
            },
        ),
        # auditor I8 and I13: what was set aside, of whatever age
        migrations.RunSQL(
            "CREATE INDEX inbound_quarantined ON supportdesk_inboundevent (received_at) WHERE state = 'quarantined'",
            "DROP INDEX inbound_quarantined",
        ),
        # auditor I11: pages a vendor accepted lately; /metrics: what left lately
        migrations.RunSQL(
            "CREATE INDEX delivery_sent ON supportdesk_delivery (sent_at) WHERE sent_at IS NOT NULL",
            "DROP INDEX delivery_sent",
        ),
    ]
