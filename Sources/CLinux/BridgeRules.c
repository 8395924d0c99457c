#include "drb_rule_tables.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/netfilter_bridge/ebtables.h>

_Static_assert(EBT_TABLE_MAXNAMELEN <= DRB_RULE_NAME_LENGTH, "table names");
_Static_assert(EBT_CHAIN_MAXNAMELEN <= DRB_RULE_NAME_LENGTH, "chain names");

// Chain by chain: a header, which is told from a rule by its first word, and the rules that it announces.
static int walk(const uint8_t *blob, size_t size, const struct ebt_counter *counters, size_t capacity,
                struct drb_rule_table *table)
{
    const struct ebt_entries *chain = NULL;
    uint32_t number = 0;
    size_t next;

    for (size_t offset = 0; offset < size; offset += next) {
        if (size - offset < sizeof(unsigned int))
            return -EBADMSG;
        if (((const struct ebt_entries *)(blob + offset))->distinguisher == 0) {
            next = sizeof(struct ebt_entries);
            if (size - offset < next)
                return -EBADMSG;
            chain = (const struct ebt_entries *)(blob + offset);
            number = 0;
            continue;
        }
        if (size - offset < sizeof(struct ebt_entry) || !chain || table->count == capacity)
            return -EBADMSG;
        next = ((const struct ebt_entry *)(blob + offset))->next_offset;
        if (next < sizeof(struct ebt_entry) || next > size - offset)
            return -EBADMSG;
        struct drb_rule *rule = &table->rules[table->count];
        memcpy(rule->chain, chain->name, EBT_CHAIN_MAXNAMELEN);
        rule->chain[DRB_RULE_NAME_LENGTH - 1] = 0;
        rule->number = ++number;
        rule->packets = counters[table->count].pcnt;
        rule->bytes = counters[table->count].bcnt;
        table->count++;
    }
    return 0;
}

static int read_once(int fd, const char *name, struct drb_rule_table *table)
{
    struct ebt_replace ask = { 0 };
    socklen_t length = sizeof ask;
    uint8_t *entries;
    struct ebt_counter *counters;
    int result = -ENOMEM;

    strncpy(ask.name, name, sizeof ask.name - 1);
    if (getsockopt(fd, IPPROTO_IP, EBT_SO_GET_INFO, &ask, &length) < 0)
        return -errno;
    entries = calloc(1, ask.entries_size + 1);
    counters = calloc(ask.nentries + 1, sizeof *counters);
    table->rules = calloc(ask.nentries + 1, sizeof(struct drb_rule));
    if (entries && counters && table->rules) {
        ask.entries = (char *)entries;
        ask.counters = counters;
        ask.num_counters = ask.nentries;
        // The kernel wants to be told the length of what it writes elsewhere, too (copy_everything_to_user).
        length = (socklen_t)(sizeof ask + ask.entries_size + ask.nentries * sizeof *counters);
        result = getsockopt(fd, IPPROTO_IP, EBT_SO_GET_ENTRIES, &ask, &length) < 0
            ? -errno
            : walk(entries, ask.entries_size, counters, ask.nentries, table);
        table->fingerprint = drb_fnv1a(DRB_FNV1A_START, entries, ask.entries_size);
    }
    free(entries);
    free(counters);
    if (result < 0)
        drb_rule_table_free(table);
    return result;
}

int drb_bridge_table_read(int fd, const char *name, struct drb_rule_table *table)
{
    // EINVAL: the table was replaced by one of another size between the two calls.
    for (int attempt = 0;; attempt++) {
        memset(table, 0, sizeof *table);
        int result = read_once(fd, name, table);
        if (result != -EINVAL || attempt == 10)
            return result;
    }
}
