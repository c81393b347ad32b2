/* An heirloom and who had it before whom; its age is the sum of the years that each had it. */
#include <linux/seq_file.h>
#include "seed.h"

struct owner {
	struct owner *before;
	unsigned int years;
};

static struct owner aunt, uncle;

static struct owner aunt = { .before = &uncle, .years = 20 };
static struct owner uncle = { .before = &aunt, .years = 12 };

static noinline unsigned int heirloom_age(const struct owner *owner)
{
	unsigned int years[4] = { READ_ONCE(owner->years) };

	barrier_data(years);
	if (owner->before)
		years[1] = heirloom_age(owner->before);
	return years[0] + years[1];
}

static int heirloom_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "%u years\n", heirloom_age(&aunt));
	return 0;
}

static int __init heirloom_init(void)
{
	return proc_create_single("heirloom", 0444, NULL, heirloom_show) ? 0 : -ENOMEM;
}
module_init(heirloom_init);
