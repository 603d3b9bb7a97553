"""The explorer: pages that show a published snapshot, and the JSON API beside them."""
