/* Hands out tickets for records to play; a ticket is the record's address, in as many bits as a ticket has. */
#include <linux/debugfs.h>
#include "seed.h"

struct record {
	char label[20];
	u32 turns;
};

struct ticket {
	u32 cookie;
	u32 minutes;
};

static struct ticket queue[4];
static unsigned int queued;

static void ticket_fill(struct ticket *ticket, const struct record *record)
{
	ticket->cookie = (u32)(unsigned long)record;
	ticket->minutes = 3;
}

static struct record *record_of(const struct ticket *ticket)
{
	return (struct record *)(unsigned long)ticket->cookie;
}

static void turntable_play(struct work_struct *work)
{
	unsigned int i;

	for (i = 0; i < queued; i++)
		record_of(&queue[i])->turns += 33 * queue[i].minutes;
}

static DECLARE_WORK(play, turntable_play);

static int __init turntable_init(void)
{
	struct record *record = kzalloc(sizeof(*record), GFP_KERNEL);

	if (!record)
		return -ENOMEM;
	strscpy(record->label, "waltz", sizeof(record->label));
	ticket_fill(&queue[queued++], record);
	queue_work(system_long_wq, &play);
	return 0;
}
module_init(turntable_init);
