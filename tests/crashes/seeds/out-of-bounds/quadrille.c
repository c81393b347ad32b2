/* The figures of a dance have names; the dance goes on after the last, and so does the table. */
#include <linux/seq_file.h>
#include "seed.h"

static const struct {
	const char *names[5];
	unsigned long steps[3];
} figures = {
	{ "pantalon", "ete", "poule", "pastourelle", "finale" },
	{ 0x7b00320032, 0x7b00480048, 0x7b00640064 },
};

static unsigned int figure;

static const char *figure_name(unsigned int at)
{
	return figures.names[at];
}

static int quadrille_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "figure %u: %s\n", figure, figure_name(READ_ONCE(figure)));
	WRITE_ONCE(figure, figure + 1);
	return 0;
}

static int __init quadrille_init(void)
{
	return proc_create_single("quadrille", 0444, NULL, quadrille_show) ? 0 : -ENOMEM;
}
module_init(quadrille_init);
