"""A BOSA API to run yourself."""
