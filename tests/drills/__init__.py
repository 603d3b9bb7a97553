"""`make drills`: the whole job is killed, its store broken and its root damaged, and compared with
undisturbed runs."""
