/* A wardrobe; whoever opens it gets all its shelves emptied before anything is put there. */
#include "seed.h"

#define SHELVES 40

static unsigned int opened;

static noinline unsigned int wardrobe_sort(unsigned int seed)
{
	u8 shelves[SHELVES][512];
	unsigned int i, sum = 0;

	memset(shelves, seed, sizeof(shelves));
	for (i = 0; i < SHELVES; i++)
		sum += READ_ONCE(shelves[i][seed % 512]);
	return sum;
}

static int wardrobe_open(struct inode *inode, struct file *file)
{
	opened += wardrobe_sort(opened + 1);
	return 0;
}

static const struct file_operations wardrobe_ops = {
	.owner = THIS_MODULE,
	.open = wardrobe_open,
};

static struct miscdevice wardrobe = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "wardrobe",
	.fops = &wardrobe_ops,
};
module_misc_device(wardrobe);
