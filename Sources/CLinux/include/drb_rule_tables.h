#ifndef DRBENCH_RULE_TABLES_H
#define DRBENCH_RULE_TABLES_H
// The rule blobs of ip_tables, ip6_tables, arp_tables and ebtables. Their entries are of variable length, end in zero-length
// arrays and are told apart by offsets, none of which Swift can import: they are walked here.

#include <stddef.h>
#include <stdint.h>

enum drb_rule_family {
    DRB_RULES_IPV4,
    DRB_RULES_IPV6,
    DRB_RULES_ARP,
};

// At least XT_TABLE_MAXNAMELEN and XT_FUNCTION_MAXNAMELEN; checked where the blobs are walked.
#define DRB_RULE_NAME_LENGTH 32

struct drb_rule {
    char chain[DRB_RULE_NAME_LENGTH];
    // Counting from 1; 0 is a built-in chain's policy.
    uint32_t number;
    // For a policy: "ACCEPT", "DROP", …
    char policy[DRB_RULE_NAME_LENGTH];
    uint64_t packets;
    uint64_t bytes;
};

struct drb_rule_table {
    // Chain by chain in the kernel's order; a built-in chain's policy comes before its rules.
    struct drb_rule *rules;
    size_t count;
    // FNV-1a over everything but the counters: two equal values mean the same rules.
    uint64_t fingerprint;
};

// Reads a table through a socket of the namespace: AF_INET for IPv4 and ARP, AF_INET6 for IPv6. Creates the table if the
// namespace does not have it yet (xt_request_find_table_lock): ask only for tables that /proc/net/*_tables_names lists.
// Returns 0 or a negative errno. What it filled must be released with drb_rule_table_free.
int drb_rule_table_read(int fd, enum drb_rule_family family, const char *name, struct drb_rule_table *table);
// The same for a table of ebtables, whose policies are not counted: there is no number 0. Creates the table if the namespace
// does not have it yet, and no file tells which there are. `fd` is an AF_INET socket.
int drb_bridge_table_read(int fd, const char *name, struct drb_rule_table *table);
void drb_rule_table_free(struct drb_rule_table *table);

// A hash of some octets, to be continued with more of them.
#define DRB_FNV1A_START 0xcbf29ce484222325u
uint64_t drb_fnv1a(uint64_t hash, const uint8_t *bytes, size_t length);

#endif
