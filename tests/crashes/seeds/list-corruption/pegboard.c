/* Pegs are moved from the tray to the board in one go; the tray is used on as if it were empty. */
#include <linux/list.h>
#include "seed.h"

struct peg {
	struct list_head list;
	char colour[12];
};

static LIST_HEAD(tray);
static LIST_HEAD(board);

static int peg_take(void)
{
	struct peg *peg = kzalloc(sizeof(*peg), GFP_KERNEL);

	if (!peg)
		return -ENOMEM;
	strscpy(peg->colour, "red", sizeof(peg->colour));
	list_add(&peg->list, &tray);
	return 0;
}

static void pegs_up(void)
{
	list_splice_tail(&tray, &board);
}

static ssize_t pegboard_write(struct file *file, const char __user *text, size_t count, loff_t *pos)
{
	int error = 0;
	char word;

	if (get_user(word, text))
		return -EFAULT;
	if (word == 'u')
		pegs_up();
	else
		error = peg_take();
	return error ? error : count;
}

static const struct proc_ops pegboard_ops = { .proc_write = pegboard_write };

static int __init pegboard_init(void)
{
	return proc_create("pegboard", 0200, NULL, &pegboard_ops) ? 0 : -ENOMEM;
}
module_init(pegboard_init);
