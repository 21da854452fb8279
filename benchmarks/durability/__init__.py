"""What it costs that runs survive their process: the same server with and without, in one run."""
