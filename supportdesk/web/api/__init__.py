"""The REST API's manners: tokens, strict JSON, problem bodies."""
