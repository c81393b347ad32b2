/* A module's code in the small: each function follows a pointer in a way of its own. */

struct lock {
	int owner;
	int count;
};

struct device_state {
	char name[0x50];
	struct lock lock;
	int irq[4];
	int (*handler)(struct device_state *dev);
};

struct card {
	long id;
	struct device_state *owner;
	union {
		long wide;
		int narrow;
	};
};

struct list {
	struct list *next, *prev;
};

struct item {
	long key;
	struct list link;
};

struct node {
	long key;
	struct list list;
	struct item *item;
};

struct pair {
	struct card *first;
	long second;
};

extern struct card *find_card(int number);
extern void note(long number);

static struct {
	long number;
	struct card *card;
} board;

int by_argument(struct device_state *dev)
{
	return dev->lock.count;
}

int by_member(struct card *card)
{
	return card->owner->irq[2];
}

int by_global(void)
{
	return board.card->owner->lock.owner;
}

long by_call(int number)
{
	struct card *found = find_card(number);

	return found->id;
}

static __attribute__((noinline, noipa)) struct card *own_card(void)
{
	return board.card;
}

long by_own_call(void)
{
	return own_card()->id;
}

long by_list(struct list *head)
{
	struct list *at;
	long sum = 0;

	for (at = head->next; at != head; at = at->next) {
		struct item *item =
			(struct item *)((char *)at - __builtin_offsetof(struct item, link));

		note(item->key);
		sum += item->key;
	}
	return sum;
}

static inline int second_irq(struct device_state *state)
{
	return state->irq[1];
}

int by_inlined(struct card *card)
{
	note(card->id);
	return second_irq(card->owner) + 1;
}

long by_value(struct pair pair)
{
	return pair.first->id + pair.second;
}

int by_union(struct card *card)
{
	return card->narrow;
}

char by_text(const char *text)
{
	return text[3];
}

int by_handler(struct device_state *dev)
{
	return dev->handler(dev) + 1;
}

long by_node(struct node *node)
{
	return node->item->key;
}

void board_set(struct card *card)
{
	board.card = card;
}
