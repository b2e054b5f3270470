"""Status pages: who may read them, what they say and in which forms, who is told, and the copy that outlives the desk.

Everything a page says comes from `board.summary`, plain values from named fields only (security S24).
"""
