/* Keeps lodgers in a red-black tree by room; who leaves is freed, and not taken from the tree. */
#include <linux/rbtree.h>
#include "seed.h"

struct lodger {
	struct rb_node node;
	unsigned long room;
	char note[200];
};

static struct rb_root house = RB_ROOT;
static DEFINE_MUTEX(house_lock);

static struct lodger *lodger_find(unsigned long room)
{
	struct rb_node *node = house.rb_node;

	while (node) {
		struct lodger *lodger = rb_entry(node, struct lodger, node);

		if (lodger->room == room)
			return lodger;
		node = room < lodger->room ? node->rb_left : node->rb_right;
	}
	return NULL;
}

static int lodger_move_in(unsigned long room)
{
	struct rb_node **link = &house.rb_node, *parent = NULL;
	struct lodger *lodger = kzalloc(sizeof(*lodger), GFP_KERNEL);

	if (!lodger)
		return -ENOMEM;
	lodger->room = room;
	while (*link) {
		parent = *link;
		link = room < rb_entry(parent, struct lodger, node)->room ? &parent->rb_left
									  : &parent->rb_right;
	}
	rb_link_node(&lodger->node, parent, link);
	rb_insert_color(&lodger->node, &house);
	return 0;
}

static int lodger_move_out(unsigned long room)
{
	struct lodger *lodger = lodger_find(room);

	if (!lodger)
		return -ENOENT;
	kfree(lodger);
	return 0;
}

static int rooms_set(const char *value, const struct kernel_param *param, int (*move)(unsigned long))
{
	unsigned long room;
	int error = kstrtoul(value, 0, &room);

	if (error)
		return error;
	mutex_lock(&house_lock);
	error = move(room);
	mutex_unlock(&house_lock);
	return error;
}

static int in_set(const char *value, const struct kernel_param *param)
{
	return rooms_set(value, param, lodger_move_in);
}

static int out_set(const char *value, const struct kernel_param *param)
{
	return rooms_set(value, param, lodger_move_out);
}

/* Letters for all of them: there is a copy of each. */
static int letters_set(const char *value, const struct kernel_param *param)
{
	char *letter;
	int i;

	for (i = 0; i < 64; i++) {
		letter = kmalloc(sizeof(struct lodger), GFP_KERNEL);
		if (!letter)
			return -ENOMEM;
		memset(letter, value[0], sizeof(struct lodger));
	}
	return 0;
}

static const struct kernel_param_ops in_ops = { .set = in_set };
static const struct kernel_param_ops out_ops = { .set = out_set };
static const struct kernel_param_ops letters_ops = { .set = letters_set };
module_param_cb(in, &in_ops, NULL, 0200);
module_param_cb(out, &out_ops, NULL, 0200);
module_param_cb(letters, &letters_ops, NULL, 0200);
