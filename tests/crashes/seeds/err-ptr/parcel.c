/* Parcels with a label, written to /proc/parcel; the label is freed even where there is none. */
#include "seed.h"

static char last[16];

static ssize_t parcel_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	char *label = strndup_user(buf, sizeof(last));
	ssize_t done = count;

	if (IS_ERR(label)) {
		done = PTR_ERR(label);
		goto out;
	}
	strcpy(last, label);
out:
	kfree(label);
	return done;
}

static const struct proc_ops parcel_ops = {
	.proc_write = parcel_write,
};

static int __init parcel_init(void)
{
	return proc_create("parcel", 0200, NULL, &parcel_ops) ? 0 : -ENOMEM;
}
module_init(parcel_init);

static void __exit parcel_exit(void)
{
	remove_proc_entry("parcel", NULL);
}
module_exit(parcel_exit);
