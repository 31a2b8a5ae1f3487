"""The models of the public surface, each where programs import it from."""
