"""alpm_pkg_vercmp of pacman's library, which is all that `vercmp` prints."""
import ctypes
import sys

compare = ctypes.CDLL("libalpm.so.13").alpm_pkg_vercmp
compare.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
for line in sys.stdin.buffer:
    a, b = line.rstrip(b"\n").split(b"\t")
    order = compare(a, b)
    print("<" if order < 0 else ">" if order > 0 else "=")
