/* The programme of a concert in debugfs; the last piece was put in without a title. */
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include "seed.h"

struct piece {
	struct list_head list;
	const char *title;
	unsigned int minutes;
};

static LIST_HEAD(programme);
static DEFINE_MUTEX(programme_lock);

static int cantata_add(const char *title, unsigned int minutes)
{
	struct piece *piece = kzalloc(sizeof(*piece), GFP_KERNEL);

	if (!piece)
		return -ENOMEM;
	piece->title = title;
	piece->minutes = minutes;
	list_add_tail(&piece->list, &programme);
	return 0;
}

static void *cantata_start(struct seq_file *m, loff_t *pos)
{
	mutex_lock(&programme_lock);
	return seq_list_start(&programme, *pos);
}

static void *cantata_next(struct seq_file *m, void *at, loff_t *pos)
{
	return seq_list_next(at, &programme, pos);
}

static void cantata_stop(struct seq_file *m, void *at)
{
	mutex_unlock(&programme_lock);
}

static int cantata_show(struct seq_file *m, void *at)
{
	struct piece *piece = list_entry(at, struct piece, list);

	seq_puts(m, piece->title);
	seq_printf(m, " %u min\n", piece->minutes);
	return 0;
}

static const struct seq_operations cantata_sops = {
	.start = cantata_start,
	.next = cantata_next,
	.stop = cantata_stop,
	.show = cantata_show,
};
DEFINE_SEQ_ATTRIBUTE(cantata);

static int __init cantata_init(void)
{
	int error = cantata_add("Overture", 7);

	if (!error)
		error = cantata_add("Aria", 4);
	if (!error)
		error = cantata_add(NULL, 12);
	debugfs_create_file("cantata", 0400, NULL, NULL, &cantata_fops);
	return error;
}
module_init(cantata_init);
