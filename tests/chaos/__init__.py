"""`make chaos`: kill what can be killed while the desk works, and count in the vendors' log what got lost."""
