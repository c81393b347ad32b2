/* A table of accounts; opening it before there is one uses a pointer that nobody has set. */
#include "seed.h"

struct account {
	long owner;
	long balance;
};

static struct account *first;

static int ledger_open(struct inode *inode, struct file *file)
{
	first->balance++;
	return 0;
}

static const struct file_operations ledger_ops = {
	.owner = THIS_MODULE,
	.open = ledger_open,
};

static struct miscdevice ledger = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "ledger",
	.fops = &ledger_ops,
};
module_misc_device(ledger);
