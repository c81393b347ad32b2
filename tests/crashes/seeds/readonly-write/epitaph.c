/* Shows its lines by length; they are brought into order where they stand. */
#include <linux/seq_file.h>
#include <linux/sort.h>
#include "seed.h"

struct epitaph_line {
	unsigned int length;
	char text[28];
};

static const struct epitaph_line lines[] = {
	{ 19, "Here lies a careful" },
	{ 10, "programmer" },
	{ 16, "who never forgot" },
	{ 7, "a check" },
};

static int shorter(const void *a, const void *b)
{
	const struct epitaph_line *one = a, *other = b;

	return one->length - other->length;
}

static void epitaph_order(const struct epitaph_line *first, size_t count)
{
	sort((void *)first, count, sizeof(*first), shorter, NULL);
}

static int epitaph_show(struct seq_file *m, void *unused)
{
	size_t i;

	epitaph_order(lines, ARRAY_SIZE(lines));
	for (i = 0; i < ARRAY_SIZE(lines); i++)
		seq_printf(m, "%s\n", lines[i].text);
	return 0;
}

static int __init epitaph_init(void)
{
	return proc_create_single("epitaph", 0444, NULL, epitaph_show) ? 0 : -ENOMEM;
}
module_init(epitaph_init);
