/* A catalogue of what other modules have, shown in /proc; nothing is wrong with it. */
#include <linux/seq_file.h>
#include "seed.h"

struct catalogue_item {
	struct list_head list;
	const char *title;
	int (*price)(const struct catalogue_item *item);
	unsigned int asked;
};

const char catalogue_house[24] = "House of many things";
EXPORT_SYMBOL_GPL(catalogue_house);

static LIST_HEAD(items);
static DEFINE_MUTEX(items_lock);

int catalogue_register(struct catalogue_item *item);
void catalogue_unregister(struct catalogue_item *item);

int catalogue_register(struct catalogue_item *item)
{
	if (!strlen(item->title))
		return -EINVAL;
	mutex_lock(&items_lock);
	list_add_tail(&item->list, &items);
	mutex_unlock(&items_lock);
	return 0;
}
EXPORT_SYMBOL_GPL(catalogue_register);

void catalogue_unregister(struct catalogue_item *item)
{
	mutex_lock(&items_lock);
	list_del(&item->list);
	mutex_unlock(&items_lock);
}
EXPORT_SYMBOL_GPL(catalogue_unregister);

static int catalogue_show(struct seq_file *m, void *unused)
{
	struct catalogue_item *item;

	mutex_lock(&items_lock);
	seq_printf(m, "%s\n", catalogue_house);
	list_for_each_entry(item, &items, list) {
		item->asked++;
		seq_printf(m, "%s: %d\n", item->title, item->price(item));
	}
	mutex_unlock(&items_lock);
	return 0;
}

static int __init catalogue_init(void)
{
	return proc_create_single("catalogue", 0444, NULL, catalogue_show) ? 0 : -ENOMEM;
}

static void __exit catalogue_exit(void)
{
	remove_proc_entry("catalogue", NULL);
}
module_init(catalogue_init);
module_exit(catalogue_exit);
