#!/bin/bash
# PID 1 of a lab kernel that runs the kernel's own ipvs.sh: SELFTESTS names the folder of tools/testing/selftests/net.
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs run /run
mount -t tmpfs tmp /tmp
cd "$SELFTESTS/netfilter" && bash ipvs.sh
echo "ipvs.sh: status $?"
# The kernel ends with its init.
