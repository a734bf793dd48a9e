"""The reference of bench libvirt: how fast python3-libvirt makes a light call, one after the other.

Arguments: connection URI, domain UUID. Reads a number of calls from each line of standard input, makes them and answers
with the seconds they took; ends with its input.
"""

import sys
import time

import libvirt

connection = libvirt.open(sys.argv[1])
domain = connection.lookupByUUIDString(sys.argv[2])
for line in sys.stdin:
    count = int(line)
    start = time.perf_counter()
    for _ in range(count):
        domain.state()
    print(time.perf_counter() - start, flush=True)
