#ifndef DRBENCH_CLINUX_H
#define DRBENCH_CLINUX_H
// Linux interfaces that Swift's Glibc module does not import: they need _GNU_SOURCE, are variadic, or are macros.
// Every shim has the prefix drb_ and says why it exists.

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <string.h>

#include "drb_conntrack.h"
#include "drb_rule_tables.h"

// glibc declares these only with _GNU_SOURCE.
const char *strerrorname_np(int errnum);
const char *strerrordesc_np(int errnum);

#endif
