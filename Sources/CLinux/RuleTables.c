#include "drb_rule_tables.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/netfilter.h>
#include <linux/netfilter_arp.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter_arp/arp_tables.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>

_Static_assert(XT_TABLE_MAXNAMELEN <= DRB_RULE_NAME_LENGTH, "table names");
_Static_assert(XT_FUNCTION_MAXNAMELEN <= DRB_RULE_NAME_LENGTH, "chain names");
// The families' GET_ENTRIES structures are one layout under three names.
_Static_assert(
    offsetof(struct ipt_get_entries, entrytable) == offsetof(struct ip6t_get_entries, entrytable), "get_entries");
_Static_assert(
    offsetof(struct ipt_get_entries, entrytable) == offsetof(struct arpt_get_entries, entrytable), "get_entries");

// Where the families' structures differ.
struct layout {
    int level, get_info, get_entries;
    size_t info_size, valid_hooks, hook_entry, num_entries, size;
    size_t entry_size, target_offset, next_offset, comefrom, counters;
    const char *const *hooks;
    unsigned int hook_count;
};

static const char *const ip_hooks[] = {
    [NF_INET_PRE_ROUTING] = "PREROUTING", [NF_INET_LOCAL_IN] = "INPUT",          [NF_INET_FORWARD] = "FORWARD",
    [NF_INET_LOCAL_OUT] = "OUTPUT",       [NF_INET_POST_ROUTING] = "POSTROUTING",
};
static const char *const arp_hooks[] = {
    [NF_ARP_IN] = "INPUT",
    [NF_ARP_OUT] = "OUTPUT",
    [NF_ARP_FORWARD] = "FORWARD",
};

#define LAYOUT(info, entry)                                                                                            \
    .info_size = sizeof(struct info), .valid_hooks = offsetof(struct info, valid_hooks),                               \
    .hook_entry = offsetof(struct info, hook_entry), .num_entries = offsetof(struct info, num_entries),                \
    .size = offsetof(struct info, size), .entry_size = sizeof(struct entry),                                           \
    .target_offset = offsetof(struct entry, target_offset), .next_offset = offsetof(struct entry, next_offset),        \
    .comefrom = offsetof(struct entry, comefrom), .counters = offsetof(struct entry, counters)

static const struct layout layouts[] = {
    [DRB_RULES_IPV4] = {IPPROTO_IP, IPT_SO_GET_INFO, IPT_SO_GET_ENTRIES, LAYOUT(ipt_getinfo, ipt_entry),
                        .hooks = ip_hooks, .hook_count = NF_INET_NUMHOOKS},
    [DRB_RULES_IPV6] = {IPPROTO_IPV6, IP6T_SO_GET_INFO, IP6T_SO_GET_ENTRIES, LAYOUT(ip6t_getinfo, ip6t_entry),
                        .hooks = ip_hooks, .hook_count = NF_INET_NUMHOOKS},
    [DRB_RULES_ARP] = {IPPROTO_IP, ARPT_SO_GET_INFO, ARPT_SO_GET_ENTRIES, LAYOUT(arpt_getinfo, arpt_entry),
                       .hooks = arp_hooks, .hook_count = NF_ARP_NUMHOOKS},
};

uint64_t drb_fnv1a(uint64_t hash, const uint8_t *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) hash = (hash ^ bytes[i]) * 0x100000001b3u;
    return hash;
}

static uint16_t u16_at(const uint8_t *p) {
    uint16_t value;
    memcpy(&value, p, sizeof value);
    return value;
}

static uint32_t u32_at(const uint8_t *p) {
    uint32_t value;
    memcpy(&value, p, sizeof value);
    return value;
}

static const char *policy_name(int verdict) {
    switch (verdict) {
    case -NF_ACCEPT - 1: return "ACCEPT";
    case -NF_DROP - 1: return "DROP";
    case -NF_QUEUE - 1: return "QUEUE";
    default: return "RETURN";
    }
}

static void copy_name(char *to, const char *from) {
    strncpy(to, from, DRB_RULE_NAME_LENGTH - 1);
    to[DRB_RULE_NAME_LENGTH - 1] = 0;
}

// A chain ends with an entry that no user wrote: a built-in chain's policy, a user chain's RETURN.
static void end_chain(struct drb_rule_table *table, size_t first, int built_in) {
    if (table->count <= first) return;
    struct drb_rule last = table->rules[--table->count];
    if (!built_in) return;
    last.number = 0;
    memmove(&table->rules[first + 1], &table->rules[first], (table->count - first) * sizeof(struct drb_rule));
    table->rules[first] = last;
    table->count++;
}

// As libiptc's cache_add_entry does: a chain begins at a hook's entry point or at an ERROR target with its name.
static int walk(
    const struct layout *layout, const uint8_t *info, const uint8_t *blob, size_t size, struct drb_rule_table *table) {
    uint32_t valid_hooks = u32_at(info + layout->valid_hooks);
    char chain[DRB_RULE_NAME_LENGTH] = "";
    size_t first = 0;
    int built_in = 0;
    table->fingerprint = DRB_FNV1A_START;
    for (size_t offset = 0; offset < size;) {
        const uint8_t *entry = blob + offset;
        if (size - offset < layout->entry_size) return -EBADMSG;
        size_t next = u16_at(entry + layout->next_offset), target = u16_at(entry + layout->target_offset);
        if (next > size - offset || target < layout->entry_size || next < target + sizeof(struct xt_entry_target))
            return -EBADMSG;
        // The kernel writes into comefrom while it checks a table; the counters are what is being counted.
        table->fingerprint = drb_fnv1a(table->fingerprint, entry, layout->comefrom);
        size_t elements = layout->counters + sizeof(struct xt_counters);
        table->fingerprint = drb_fnv1a(table->fingerprint, entry + elements, next - elements);

        const char *name = ((const struct xt_entry_target *)(entry + target))->u.user.name;
        if (strncmp(name, XT_ERROR_TARGET, XT_EXTENSION_MAXNAMELEN) == 0) {
            end_chain(table, first, built_in);
            if (offset + next == size) return 0;
            if (next < target + sizeof(struct xt_error_target)) return -EBADMSG;
            copy_name(chain, ((const struct xt_error_target *)(entry + target))->errorname);
            first = table->count;
            built_in = 0;
        } else {
            for (unsigned int hook = 0; hook < layout->hook_count; hook++) {
                if (!(valid_hooks & 1u << hook)) continue;
                if (u32_at(info + layout->hook_entry + hook * sizeof(uint32_t)) != offset) continue;
                end_chain(table, first, built_in);
                copy_name(chain, layout->hooks[hook]);
                first = table->count;
                built_in = 1;
            }
            struct xt_counters counters;
            memcpy(&counters, entry + layout->counters, sizeof counters);
            struct drb_rule *rule = &table->rules[table->count];
            copy_name(rule->chain, chain);
            rule->number = (uint32_t)(table->count - first + 1);
            rule->packets = counters.pcnt;
            rule->bytes = counters.bcnt;
            if (name[0] == 0 && next >= target + sizeof(struct xt_standard_target))
                copy_name(rule->policy, policy_name(((const struct xt_standard_target *)(entry + target))->verdict));
            table->count++;
        }
        offset += next;
    }
    return -EBADMSG;
}

static int read_once(int fd, const struct layout *layout, const char *name, struct drb_rule_table *table) {
    // Room for any of the three.
    uint8_t info[sizeof(struct ipt_getinfo) + sizeof(struct ip6t_getinfo) + sizeof(struct arpt_getinfo)] = {0};
    socklen_t length = (socklen_t)layout->info_size;
    // The name comes first in all of these structures.
    copy_name((char *)info, name);
    if (getsockopt(fd, layout->level, layout->get_info, info, &length) < 0) return -errno;

    uint32_t size = u32_at(info + layout->size);
    length = (socklen_t)(sizeof(struct ipt_get_entries) + size);
    struct ipt_get_entries *entries = calloc(1, length);
    table->rules = calloc((size_t)u32_at(info + layout->num_entries) + 1, sizeof(struct drb_rule));
    int result = -ENOMEM;
    if (entries && table->rules) {
        copy_name(entries->name, name);
        entries->size = size;
        result = getsockopt(fd, layout->level, layout->get_entries, entries, &length) < 0
            ? -errno
            : walk(layout, info, (const uint8_t *)entries->entrytable, size, table);
    }
    free(entries);
    if (result < 0) drb_rule_table_free(table);
    return result;
}

int drb_rule_table_read(int fd, enum drb_rule_family family, const char *name, struct drb_rule_table *table) {
    // EAGAIN: the table was replaced by one of another size between the two calls.
    for (int attempt = 0;; attempt++) {
        memset(table, 0, sizeof *table);
        int result = read_once(fd, &layouts[family], name, table);
        if (result != -EAGAIN || attempt == 10) return result;
    }
}

void drb_rule_table_free(struct drb_rule_table *table) {
    free(table->rules);
    memset(table, 0, sizeof *table);
}
