/* Colours in an xarray: a few are kept as plain numbers, the mixed ones as objects. All are read as objects. */
#include <linux/seq_file.h>
#include <linux/xarray.h>
#include "seed.h"

struct mixture {
	u8 parts[24];
	unsigned long used;
};

static DEFINE_XARRAY(palette);

static int palette_mix(unsigned long at)
{
	struct mixture *mixture = kzalloc(sizeof(*mixture), GFP_KERNEL);

	return mixture ? xa_err(xa_store(&palette, at, mixture, GFP_KERNEL)) : -ENOMEM;
}

static int palette_plain(unsigned long at, unsigned long colour)
{
	return xa_err(xa_store(&palette, at, xa_mk_value(colour), GFP_KERNEL));
}

static unsigned long use_all(void)
{
	unsigned long at, uses = 0;
	struct mixture *mixture;

	xa_for_each(&palette, at, mixture)
		uses += ++mixture->used;
	return uses;
}

static int palette_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "%lu\n", use_all());
	return 0;
}

static int __init palette_init(void)
{
	int error = palette_mix(0);

	if (!error)
		error = palette_mix(1);
	if (!error)
		error = palette_plain(7, 0x7fc0a0ff30);
	proc_create_single("palette", 0444, NULL, palette_show);
	return error;
}
module_init(palette_init);
