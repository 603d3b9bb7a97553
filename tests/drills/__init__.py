"""`make drills`: kills and store faults against the whole job, compared with an undisturbed run."""
