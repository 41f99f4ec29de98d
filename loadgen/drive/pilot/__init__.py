"""A few short trials before a run, which find a load that fills neither the generator nor the target."""
