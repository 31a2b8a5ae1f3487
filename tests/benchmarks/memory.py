"""How much memory a process has, in MB of 10^6 bytes; a text too, for a Python that cannot import this."""

from typing import Final

RESIDENT: Final = """
def resident(kind="VmRSS"):
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(kind)) * 1024 / 1e6
    except OSError:  # not Linux: the most that it ever was
        import resource
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
"""
